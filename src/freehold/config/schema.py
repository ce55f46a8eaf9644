"""The JSON Schemas for editors: `freehold schema` prints them, `freehold init` writes that of infra.yml beside the file."""

import json
from typing import TYPE_CHECKING, Any

from freehold.config.document import Document
from freehold.config.fields import LATER_KEYS

if TYPE_CHECKING:
    from freehold.config.part import Part

_NAME_PATTERN = "^[a-z]([a-z0-9-]*[a-z0-9])?$"
_USER_NAMED = frozenset({"domains", "machines", "profiles", "volumes", "hosts", "services"})
_DROPPED = frozenset({"title", "default"})
"""What Pydantic adds and editors show for nothing: class names, and `null` or `{}` as defaults."""


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of infra.yml, made from `Document`."""
    return _schema(Document, "infra.yml of Freehold")


def descriptor_schema() -> dict[str, Any]:
    """That of a descriptor of the catalog."""
    from freehold.config.catalog.document import DescriptorDocument

    return _schema(DescriptorDocument, "Descriptor of Freehold's catalog")


def json_schema_text(*, catalog: bool = False) -> str:
    """The schema as the text of `infra.schema.json`; of a descriptor with `catalog`."""
    schema = descriptor_schema() if catalog else json_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _schema(document: "type[Part]", title: str) -> dict[str, Any]:
    schema: dict[str, Any] = _tidied(document.model_json_schema(by_alias=True))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **schema,
    }


def later_keys() -> list[str]:
    """Keys at the top of the file that this version refuses because they belong to a later one."""
    return sorted(LATER_KEYS[()])


def _tidied(node: Any) -> Any:
    if isinstance(node, list):
        return [_tidied(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _tidied(value) for key, value in node.items() if not _is_dropped(key, value)}
    if isinstance(kept.get("properties"), dict):
        _mark_required(kept)
        _constrain_names(kept["properties"])
    if "patternProperties" in kept:  # names that the user chooses, of one form
        kept["additionalProperties"] = False
    return _without_null(kept)


def _is_dropped(key: str, value: Any) -> bool:
    """A property that is called `title` or `default` is a mapping of its own and stays."""
    return key in _DROPPED and not (isinstance(value, dict) and value)


def _mark_required(node: dict[str, Any]) -> None:
    """`required: true` at a property is our own mark; JSON Schema wants a list at the parent."""
    marked = [name for name, sub in node["properties"].items() if sub.pop("required", None) is True]
    required = [*marked, *node.get("required", [])]
    if required:
        node["required"] = required


def _constrain_names(properties: dict[str, Any]) -> None:
    for name, sub in properties.items():
        if name in _USER_NAMED and sub.get("type") == "object":
            sub["propertyNames"] = {"pattern": _NAME_PATTERN, "maxLength": 63}


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """`ip:` with nothing behind it is an error, so the schema does not offer null."""
    choices = node.get("anyOf")
    if not isinstance(choices, list) or {"type": "null"} not in choices:
        return node
    left = [choice for choice in choices if choice != {"type": "null"}]
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    return {**left[0], **rest} if len(left) == 1 else {**rest, "anyOf": left}
