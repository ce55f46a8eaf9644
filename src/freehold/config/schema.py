"""The JSON Schema of infra.yml, for editors: `freehold schema` prints it, `freehold init` writes it beside the file."""

import json
from typing import Any

from freehold.config.document import Document
from freehold.config.fields import LATER_KEYS

_NAME_PATTERN = "^[a-z]([a-z0-9-]*[a-z0-9])?$"
_USER_NAMED = frozenset({"domains", "machines", "profiles", "volumes"})
_DROPPED = frozenset({"title", "default"})
"""What Pydantic adds and editors show for nothing: class names, and `null` or `{}` as defaults."""


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12), made from `Document`."""
    schema: dict[str, Any] = _tidied(Document.model_json_schema(by_alias=True))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "infra.yml of Freehold",
        **schema,
    }


def json_schema_text() -> str:
    """The schema as the text of `infra.schema.json`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


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
