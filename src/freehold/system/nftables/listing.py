"""Reads nft's JSON (libnftables-json(5)) and turns a listed table back into commands. Pure; called by `program.py`."""

import json
from collections.abc import Mapping
from typing import Any

from freehold.system.nftables.api import Command, Commands, Listing, NftablesError

_ORDER = ("table", "chain", "set", "map", "rule")  # what a thing names must be there before it


def document(commands: Commands) -> str:
    """What nft reads, on one line."""
    return json.dumps({"nftables": list(commands)})


def parsed(text: str) -> Listing:
    """What nft listed, without the line about itself. Raises NftablesError for anything else."""
    try:
        entries = json.loads(text)["nftables"]
        return [entry for entry in entries if "metainfo" not in entry]
    except (ValueError, KeyError, TypeError) as error:
        raise NftablesError(
            "reading the rules", "this nft does not speak JSON (libnftables-json)."
        ) from error


def emptied(name: str) -> list[Command]:
    """Commands after which the table is not there, whether it was or not."""
    table = {"table": {"family": "inet", "name": name}}
    return [{"add": table}, {"delete": table}]


def restoring(name: str, before: Listing | None) -> Commands:
    """Commands after which the table is as it was listed, or gone when it was not there."""
    known = [entry for entry in before or () if next(iter(entry)) in _ORDER]
    ordered = sorted(known, key=lambda entry: _ORDER.index(next(iter(entry))))
    return [*emptied(name), *({"add": _without_handles(entry)} for entry in ordered)]


def _without_handles(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        noun: {key: value for key, value in thing.items() if key != "handle"}
        for noun, thing in entry.items()
    }
