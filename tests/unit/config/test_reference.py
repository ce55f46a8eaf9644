"""The JSON Schema and the pages made from it say what the loader does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from freehold.config.document import Document
from freehold.config.load import load
from freehold.config.reference import codes_section, language_page
from freehold.config.schema import json_schema, json_schema_text

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
RENEW = (
    "renew it: python -c \"from freehold.config.reference import write; write('docs/reference')\""
)


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def test_the_reference_of_the_language_has_not_drifted() -> None:
    assert (REFERENCE / "infra-yml.md").read_text() == language_page(), RENEW


def test_every_code_of_the_configuration_is_documented() -> None:
    assert codes_section() in (REFERENCE / "diagnostics.md").read_text(), RENEW


def test_the_schema_is_json_and_names_what_is_required() -> None:
    schema = json.loads(json_schema_text())
    assert schema == json_schema()
    assert schema["required"] == ["freehold", "name"]
    assert schema["properties"]["freehold"]["const"] == 1
    defs = schema["$defs"]
    assert defs["DomainPart"]["required"] == ["subnet_id"]
    assert sorted(defs["PolicyPart"]["required"]) == ["from", "to"]


def test_the_schema_knows_every_key_and_offers_no_other() -> None:
    schema = json_schema()
    assert list(schema["properties"]) == list(Document.model_fields)
    for node in nodes(schema):
        if "properties" in node and node.get("type") == "object":
            assert node["additionalProperties"] is False


def test_the_schema_never_offers_null() -> None:
    assert not [node for node in nodes(json_schema()) if node.get("type") == "null"]


def test_every_key_of_the_schema_is_described() -> None:
    schema = json_schema()
    for part in [schema, *schema["$defs"].values()]:
        for name, field in part.get("properties", {}).items():
            assert field.get("description") or "$ref" in field, name


def test_examples_of_the_schema_are_valid(tmp_path: Path) -> None:
    """A file made of every example of a machine is accepted."""
    defs = json_schema()["$defs"]

    def examples(part: str) -> dict[str, Any]:
        fields = defs[part]["properties"].items()
        return {name: field["examples"][0] for name, field in fields if "examples" in field}

    profile = examples("ProfilePart")
    inside = {
        **examples("Provision"),
        "git": [examples("GitCheckout")],
        "script": [examples("ScriptRun")],
        "files": [examples("PlacedFile")],
    }
    machine = {**examples("MachinePart"), "type": "container", "provision": inside}
    del machine["secure_boot"]  # only a vm has it
    domain = {**examples("DomainPart"), "profiles": {"big": profile}, "machines": {"app": machine}}
    estate = {"freehold": 1, "name": "examples", "domains": {"homelab": domain}}
    (tmp_path / "files").mkdir()
    for item in (inside["script"][0], inside["files"][0]):
        (tmp_path / item["src"]).touch()
    file = tmp_path / "infra.yml"
    file.write_text(json.dumps(estate))
    assert [d for d in load(file).diagnostics if d.is_error] == []
