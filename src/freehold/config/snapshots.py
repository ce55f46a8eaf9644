"""`snapshots` as it is written: when snapshots are made by themselves, and which are kept. A part of `document`.

It may stand at the top, in a domain and in a machine; `snapshots_of` puts the three together for
`build`, `checks.snapshots` looks at what is then odd.
"""

from typing import Annotated, Any

from pydantic import Field

from freehold.config.formats import Word
from freehold.config.part import Part
from freehold.model.snapshots import DEFAULT_KEEP, Keep, Schedule, Snapshots

MOST_KEPT = 9999


def _count(period: str, example: int) -> Any:
    description = f"How many of the last {period} keep their newest snapshot."
    return Field(None, ge=1, le=MOST_KEPT, description=description, examples=[example])


class KeepPart(Part):
    """Which of the scheduled snapshots are kept: the newest of each of so many hours, days … that have one.

    The newest of all always stays, and so does every snapshot made with `freehold snapshot create`.
    """

    hourly: int | None = _count("hours", 24)
    daily: int | None = _count("days", 7)
    weekly: int | None = _count("weeks", 4)
    monthly: int | None = _count("months", 12)
    yearly: int | None = _count("years", 3)


class SnapshotsPart(Part):
    """Snapshots that are made by themselves, of machines with their volumes.

    At the top it is for every machine, in a domain for its machines. Of each key the nearest counts, `keep` as a whole.
    """

    schedule: Annotated[Schedule, Field(strict=False)] | None = Field(
        None, description="How often. Default: `never`.", examples=["daily"]
    )
    keep: KeepPart | None = Field(
        None,
        description="Which ones are kept. Default: 24 hours of `hourly`, 7 days of `daily`, 4 weeks of `weekly`, "
        "12 months of `monthly`.",
        examples=[{"daily": 7, "weekly": 4}],
    )
    pre: Word | None = Field(
        None,
        description="Shell command, run as root in the machine before each snapshot, also one made by hand.",
        examples=["systemctl stop app"],
    )
    post: Word | None = Field(
        None,
        description="Shell command, run as root in the machine after each snapshot, also when that has failed.",
        examples=["systemctl start app"],
    )


def snapshots_of(*parts: SnapshotsPart) -> Snapshots:
    """What holds for a machine: of each key the last of `parts` that has it counts."""
    said = {
        key: value
        for part in parts
        for key in SnapshotsPart.model_fields
        if (value := getattr(part, key)) is not None
    }
    schedule: Schedule = said.pop("schedule", Schedule.NEVER)
    keep = said.pop("keep", None)
    kept = DEFAULT_KEEP[schedule] if keep is None else Keep(**keep.model_dump(exclude_none=True))
    return Snapshots(schedule=schedule, keep=kept, **said)
