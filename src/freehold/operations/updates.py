"""Which versions run, which infra.yml asks for, what the catalog has, and until when their makers mend them.

Called by `cli.updates`, and by `overview` for `status` and `ui`. It looks at nothing itself: the plan's two sides tell what runs.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from freehold.model import Infra
from freehold.model.services import Service
from freehold.planning.address import Address
from freehold.planning.plan import Plan
from freehold.planning.resource import Observed
from freehold.providers.compose.places import SERVICE, service_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A service beside what there is. `running` is the version that runs, empty where none does; `is_known`: somebody could look.

    `wanted` is that of infra.yml, `newest_in_catalog` the one that the catalog names. `ends` is the day on which the makers stop
    mending the version that runs (that is asked for, where none runs); None where nobody said. `kind` is the entry of the catalog.
    """

    name: str
    kind: str
    target: str
    running: str
    wanted: str
    newest_in_catalog: str
    ends: date | None = None
    is_known: bool = True

    @property
    def is_behind(self) -> bool:
        """Whether something else runs than infra.yml asks for: `apply` brings it."""
        return bool(self.running) and self.running != self.wanted

    @property
    def is_newest(self) -> bool:
        """Whether what runs is known, and is the catalog's version."""
        return bool(self.running) and not self.is_behind and not self.has_newer

    @property
    def has_newer(self) -> bool:
        """Whether infra.yml holds on to another version than the catalog's."""
        return self.wanted != self.newest_in_catalog


def updates(
    infra: Infra, observed: Mapping[Address, Observed], unknown: Collection[str] = ()
) -> tuple[Update, ...]:
    """All services that run as containers, in the order of their names; `unknown` are the targets that nobody could look at."""
    return tuple(_update(each, observed, unknown) for each in infra.services if each.as_container)


def not_looked_at(plan: Plan) -> frozenset[str]:
    """The targets of which a plan does not know what runs there: hosts that do not answer, and those whose Docker does not."""
    prefix = f"{SERVICE}:"
    silent = (each.removeprefix(prefix) for each in plan.unseen if each.startswith(prefix))
    return frozenset((*plan.unreached, *silent))


def ended(found: tuple[Update, ...], today: date) -> Iterator[Update]:
    """Those whose makers have stopped mending them."""
    return (each for each in found if each.ends is not None and each.ends <= today)


def _update(
    service: Service, observed: Mapping[Address, Observed], unknown: Collection[str]
) -> Update:
    seen = observed.get(service_address(service.target, service.name))
    image = str(seen.fields.get("image", "")) if seen is not None else ""
    running = _version(service, image)
    descriptor = service.descriptor
    return Update(
        name=service.name,
        kind=descriptor.name,
        target=service.target,
        running=running,
        wanted=service.version,
        newest_in_catalog=descriptor.version,
        ends=descriptor.end_of_life(running or service.version),
        is_known=service.target not in unknown,
    )


def _version(service: Service, image: str) -> str:
    """That of an image: what its tag has in the place of the version; of an image of somebody else's, its whole tag."""
    if image == service.image:
        return service.version
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    container = service.descriptor.container
    before, _, after = container.tag.partition("{{ version }}") if container else ("", "", "")
    return tag.removeprefix(before).removesuffix(after)
