"""What infra.yml may say goes inside machines: the same as Ansible, apt, pip and git take, and nothing secret."""

from pathlib import Path

import pytest
from ansible import constants
from ansible.vars.reserved import get_reserved_names
from packaging.requirements import InvalidRequirement, Requirement

from freehold.config.checks.variables import MAGIC, PLAY_KEYWORDS
from freehold.config.collection import shipped_roles
from freehold.config.load import Loaded, load

HEAD = "freehold: 1\nname: test\ndomains: {web: {subnet_id: 0, machines: {app: {provision: {"


def loaded(folder: Path, provision: str) -> Loaded:
    (folder / "infra.yml").write_text(f"{HEAD}{provision}}}}}}}}}}}\n")
    return load(folder)


def codes(folder: Path, provision: str) -> list[str]:
    return [diagnostic.code for diagnostic in loaded(folder, provision).diagnostics]


def test_reserved_variables_are_those_of_ansible() -> None:
    assert get_reserved_names() == PLAY_KEYWORDS
    own = {name for name in constants.INTERNAL_STATIC_VARS if not name.startswith("ansible_")}
    assert own == MAGIC


@pytest.mark.parametrize(
    "package",
    ["git", "g++", "libstdc++6", "python3.13", "0ad", "git=1:2.47.3-0+deb13u1", "git=2.*", "git:amd64", "git/trixie"],
)  # fmt: skip
def test_packages_that_apt_takes(tmp_path: Path, package: str) -> None:
    assert codes(tmp_path, f'apt: ["{package}"]') == []


@pytest.mark.parametrize(
    "package", ["-y", "g", "git ", "git; reboot", "../x.deb", "git=", "git/", "$(reboot)", "git-"]
)
def test_packages_that_apt_would_take_for_something_else(tmp_path: Path, package: str) -> None:
    assert codes(tmp_path, f'apt: ["{package}"]') in (["invalid-package"], ["invalid-value"])


@pytest.mark.parametrize(
    "text",
    [
        "httpie", "zope.interface", "ruff==0.9.1", "ruff ~= 0.9", "ruff>=0.9,!=0.9.3", "a[b,c]>1", "a (>=1)",
        "tool @ https://example.org/tool.whl", 'tomli; python_version < \\"3.11\\"', "a==1.*", "a===2024a1",
    ],
)  # fmt: skip
def test_requirements_that_pip_takes(tmp_path: Path, text: str) -> None:
    Requirement(text.replace("\\", ""))
    assert codes(tmp_path, f'pip: ["{text}"]') == []


@pytest.mark.parametrize("text", ["-r x.txt", "a b", "a=1", "a>", "./a", "a[", "a,b", "a;", "_"])
def test_requirements_that_pip_refuses(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidRequirement):
        Requirement(text)
    assert codes(tmp_path, f'pip: ["{text}"]') == ["invalid-requirement"]


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.org/a.git", "ssh://git@git.example.org:2222/a.git", "git@git.example.org:a/b.git",
        "git.example.org:/srv/git/a.git", "/srv/git/a.git", "file:///srv/git/a.git",
    ],
)  # fmt: skip
def test_repositories_that_git_takes(tmp_path: Path, url: str) -> None:
    assert codes(tmp_path, f'git: [{{repo: "{url}", dest: /opt/a}}]') == []


@pytest.mark.parametrize(
    "url",
    [
        "https://me:hunter2@git.example.org/a.git", "https://hunter2@git.example.org/a.git",
        "ssh://me:hunter2@git.example.org/a.git",
    ],
)  # fmt: skip
def test_a_password_in_a_url_is_refused_and_not_shown(tmp_path: Path, url: str) -> None:
    diagnostics = loaded(tmp_path, f'git: [{{repo: "{url}", dest: opt}}]').diagnostics
    assert {diagnostic.code for diagnostic in diagnostics} == {"secret-in-url", "invalid-path"}
    assert "hunter2" not in repr(diagnostics)
    for diagnostic in diagnostics:  # the mark below the line must still point at the right place
        assert diagnostic.source is not None
        written = (tmp_path / "infra.yml").read_text().splitlines()[diagnostic.source.line - 1]
        assert len(diagnostic.source.text or "") == len(written)


@pytest.mark.parametrize("name", ["shop", "geerlingguy.docker"])
def test_roles_of_the_folder(tmp_path: Path, name: str) -> None:
    assert codes(tmp_path, f"roles: [{name}]") == ["unknown-role"]
    (tmp_path / "roles" / name).mkdir(parents=True)
    assert codes(tmp_path, f"roles: [{name}]") == []


def test_roles_that_come_with_freehold(tmp_path: Path) -> None:
    assert {"base_system", "provision", "incus_networks"} <= shipped_roles()
    assert codes(tmp_path, "roles: [base_system]") == []
    assert codes(tmp_path, "roles: [freehold.estate.base_system]") == []
    assert codes(tmp_path, "roles: [incus_networks]") == ["role-not-for-machines"]
    assert codes(tmp_path, "roles: [freehold.estate.base_sytem]") == ["unknown-role"]


def test_a_source_that_cannot_be_looked_at(tmp_path: Path) -> None:
    assert codes(tmp_path, r'script: [{src: "a\0b"}]') == ["control-character"]
    (tmp_path / "circle").symlink_to("circle")
    assert codes(tmp_path, "script: [{src: circle/x}]") == ["source-not-found"]


def test_a_thousand_machines_that_name_a_missing_file_are_quickly_told(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    for number in range(2000):
        (tmp_path / "files" / f"a{number}").touch()
    machines = ", ".join(
        f"m{n}: {{provision: {{script: [{{src: files/none}}]}}}}" for n in range(180)
    )
    (tmp_path / "infra.yml").write_text(
        f"freehold: 1\nname: test\ndomains: {{web: {{subnet_id: 0, machines: {{{machines}}}}}}}\n"
    )
    found = load(tmp_path).diagnostics
    assert [diagnostic.code for diagnostic in found] == ["source-not-found"] * 180


def test_templates_are_for_variables_only(tmp_path: Path) -> None:
    infra = loaded(tmp_path, 'vars: {a: "{{ b }}", c: "{% d %}"}').infra
    assert infra is not None
    assert next(infra.machines()).provision.vars == {"a": "{{ b }}", "c": "{% d %}"}
    assert codes(tmp_path, 'roles: ["{{ a }}"]') == ["template-in-value"]
    assert codes(tmp_path, 'script: [{src: "a{# b #}"}]') == ["template-in-value"]
