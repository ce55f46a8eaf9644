"""The versions of services, parted by what there is to say of them. Pure; called by `page`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freehold.views.overview_document import is_noteworthy

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """`noteworthy` are shown one by one; of the others, `newest` run the catalog's version, `absent` do not run, `unknown` nobody could look at."""

    noteworthy: Sequence[Facts]
    newest: Sequence[Facts]
    absent: Sequence[Facts]
    unknown: Sequence[Facts]

    @property
    def unknown_targets(self) -> list[str]:
        """Where those are that nobody could look at."""
        return sorted({str(each["target"]) for each in self.unknown})


def versions(document: Facts) -> Versions:
    """Of the document's updates; one that is not known may be noteworthy all the same, for what infra.yml asks for."""
    now, every = document["looked_at"], document["updates"]
    noteworthy = [each for each in every if is_noteworthy(each, now)]
    known = [each for each in every if each["known"] and each not in noteworthy]
    return Versions(
        noteworthy=noteworthy,
        newest=[each for each in known if each["running"]],
        absent=[each for each in known if not each["running"]],
        unknown=[each for each in every if not each["known"]],
    )
