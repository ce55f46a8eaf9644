"""What blueprints say to roles is what the roles understand, without a machine."""

from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from freehold.config.load import load
from freehold.operations.blueprints import blueprints

ROLES = Path(__file__).parents[2] / "src/ansible_collections/freehold/estate/roles"


def options(role: str) -> dict[str, Any]:
    text = (ROLES / role / "meta/argument_specs.yml").read_text()
    found: dict[str, Any] = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return found


def role_of(variable: str) -> str:
    """The one whose name it begins with."""
    return max(
        (each.name for each in ROLES.iterdir() if variable.startswith(f"{each.name}_")), key=len
    )


def test_the_hosts_of_orion_say_what_their_roles_understand(tmp_path: Path) -> None:
    (tmp_path / "infra.yml").write_text(blueprints()["orion"].files["infra.yml"])
    loaded = load(tmp_path)
    assert loaded.diagnostics == ()
    assert loaded.infra is not None
    for host in loaded.infra.hosts:
        said: dict[str, dict[str, Any]] = {}
        for name, value in host.provision.vars.items():
            said.setdefault(role_of(name), {})[name] = value
        assert "host_access" in said, "nobody could come in"
        for role, variables in said.items():
            validated = ArgumentSpecValidator(options(role)).validate(variables)
            assert validated.error_messages == [], role
