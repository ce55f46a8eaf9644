"""What all kinds of objects of the in-memory Incus share: copies, listings, addresses of objects, fields of requests.

Pure. Objects are kept as the dictionaries that the API answers, without what is computed on reading.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from freehold.system.incus.fake.routing import Refusal, Request

Document = dict[str, Any]
Value = TypeVar("Value")

NEVER = "0001-01-01T00:00:00Z"
DEFAULT_PROJECT = "default"


def copied(value: Value) -> Value:
    """A copy that shares nothing that can change. `copy.deepcopy` takes ten times as long."""
    copy: Any = value
    if type(copy) is dict:
        copy = {key: copied(item) for key, item in copy.items()}
    elif type(copy) is list:
        copy = [copied(item) for item in copy]
    result: Value = copy
    return result


def url(collection: str, name: str, project: str = DEFAULT_PROJECT) -> str:
    """The address of an object, as `used_by` and listings give it."""
    address = f"/1.0{collection}/{quote(name, safe='')}"
    return address if project == DEFAULT_PROJECT else f"{address}?project={quote(project, safe='')}"


def listing(
    request: Request,
    documents: Iterable[Value],
    render: Callable[[Value], Document],
    address: Callable[[Value], str],
) -> list[Any]:
    """The answer to a GET of a collection: addresses, or with `recursion` the objects; `filter=a eq b` picks."""
    chosen = _filtered(request, documents, render)
    return [render(each) if request.recursion else address(each) for each in chosen]


def _filtered(
    request: Request, documents: Iterable[Value], render: Callable[[Value], Document]
) -> Iterable[Value]:
    text = request.query.get("filter", "")
    if not text:
        return documents
    field, operator, wanted = text.split(" ", 2)
    if operator not in {"eq", "ne"}:
        raise Refusal(400, "Invalid filter: missing operator")
    return [
        each for each in documents if (_value(render(each), field) == wanted) == (operator == "eq")
    ]


def _value(document: Mapping[str, Any], field: str) -> str:
    """`config.user.a` is the key `user.a` of `config`."""
    section, _, key = field.partition(".")
    value = document.get(section)
    return str(value.get(key)) if key and isinstance(value, dict) else str(value)


def text_of(body: Mapping[str, Any], key: str) -> str:
    """A field of a request that holds a text. Raises Refusal for another type, as the JSON decoder does."""
    value = body.get(key, "")
    if not isinstance(value, str):
        raise Refusal(400, f"json: cannot unmarshal into Go struct field {key} of type string")
    return value


def texts_of(body: Mapping[str, Any], key: str) -> dict[str, str]:
    """A field that maps texts to texts. Null values and wrong types are refused, empty ones dropped, as Incus does."""
    given = body.get(key) or {}
    for name, value in given.items():
        if not isinstance(value, str):
            raise Refusal(
                400, f"json: cannot unmarshal {name} into Go struct field {key} of type string"
            )
    return {name: value for name, value in given.items() if value != ""}


def devices_of(body: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The devices of a request."""
    return {
        name: texts_of({"device": device}, "device")
        for name, device in (body.get("devices") or {}).items()
    }


def required_name(body: Mapping[str, Any]) -> str:
    """The `name` of what is to be made."""
    name = text_of(body, "name")
    if not name:
        raise Refusal(400, "No name provided")
    return name
