"""The language of infra.yml beyond its keys: what belongs to later versions, and where a misplaced key is looked for."""

from freehold.config.document import Document
from freehold.config.language import Language
from freehold.config.places import KeyPath

LATER_KEYS: dict[KeyPath, frozenset[str]] = {
    (): frozenset({"clusters", "scenarios", "backups"}),
    ("domains", "*"): frozenset({"on"}),
}
"""Keys of the language (by the place where they stand) that a later version will know."""

_HOMES: tuple[tuple[KeyPath, str], ...] = (
    ((), "at the top of the file"),
    (("domains", "*"), "directly in a domain"),
    (("domains", "*", "machines", "*"), "in a machine"),
    (("domains", "*", "machines", "*", "provision"), "in `provision`"),
    (("domains", "*", "profiles", "*"), "in a profile"),
    (("defaults",), "in `defaults`"),
    (("network",), "in `network`"),
    (("snapshots",), "in `snapshots`"),
    (("snapshots", "keep"), "in `keep` of `snapshots`"),
    (("policies", 0), "in a policy"),
    (("hosts", "*"), "in a host"),
    (("services", "*"), "in a service"),
    (("services", "*", "expose"), "in `expose` of a service"),
    (("alerts", "telegram"), "in `telegram` of `alerts`"),
)

ESTATE = Language(
    document=Document, page="docs/reference/infra-yml.md", later=LATER_KEYS, homes=_HOMES
)
