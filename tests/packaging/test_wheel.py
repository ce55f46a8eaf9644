"""What `pip install freehold` gives is complete, and it is what the other tests run on."""

import json
import zipfile
from pathlib import Path

import pytest

import freehold
from tests.packaging.conftest import ROOT, Run

# The environment is made once, by whichever test comes first; it may have to download.
pytestmark = pytest.mark.timeout(600)

IMPORT_ALL = """
import importlib, pkgutil, freehold
for module in pkgutil.walk_packages(freehold.__path__, "freehold."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(freehold.__file__)
"""


def test_the_tests_run_on_the_installed_wheel(installed: Path) -> None:
    assert Path(freehold.__file__).resolve().is_relative_to(installed)


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    source = ROOT / "src"
    expected = {
        str(path.relative_to(source))
        for package in ("freehold", "ansible_collections")
        for path in (source / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = zipfile.ZipFile(wheel).namelist()
    assert {name for name in names if not name.split("/")[0].endswith(".dist-info")} == expected


def test_every_module_imports_with_the_runtime_lock_alone(run: Run) -> None:
    done = run("python", "-W", "error", "-c", IMPORT_ALL)
    assert done.returncode == 0, done.stderr
    assert "/fresh" in done.stdout, "not the installation that was to be tested"


KEEP_A_SECRET = """
import os, pathlib, sys
os.environ["XDG_CONFIG_HOME"] = sys.argv[1]
from freehold.system.secrets.store import SecretsFile
from freehold.system.secrets import sops
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
folder = pathlib.Path(sys.argv[1])
SecretsFile(folder).put("one", b"value")
print(SecretsFile(folder).value("one"), (folder / "secrets.yml").read_text().splitlines()[0])
"""


def test_secrets_are_kept_with_the_runtime_lock_alone(run: Run, tmp_path: Path) -> None:
    done = run("python", "-W", "error", "-c", KEEP_A_SECRET, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "b'value' -----BEGIN AGE ENCRYPTED FILE-----\n"


def test_help_names_the_verbs(run: Run) -> None:
    done = run("freehold", "--help")
    assert done.returncode == 0, done.stderr
    for verb in ("init", "validate", "plan", "apply", "verify", "status", "secret", "schema"):
        assert verb in done.stdout


def test_version(run: Run) -> None:
    done = run("freehold", "--version")
    assert done.returncode == 0, done.stderr
    assert freehold.__version__ in done.stdout


def test_schema_is_a_json_schema_of_infra_yml(run: Run) -> None:
    done = run("freehold", "schema")
    assert done.returncode == 0, done.stderr
    assert {"freehold", "name", "domains", "policies"} <= json.loads(done.stdout)[
        "properties"
    ].keys()


def test_init_writes_an_estate_that_is_valid(run: Run, tmp_path: Path) -> None:
    made = run("freehold", "init", "estate", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "estate" / "infra.yml").is_file()
    checked = run("freehold", "-C", "estate", "validate", folder=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
