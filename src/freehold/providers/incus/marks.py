"""How Freehold knows its own in Incus: `user.freehold.*` keys on every object it makes. Used by all modules here."""

from collections.abc import Collection, Mapping

ESTATE = "user.freehold.estate"
DOMAIN = "user.freehold.domain"
IMAGE = (
    "user.freehold.image"  # the image as infra.yml names it; Incus itself only keeps a fingerprint
)
PROTECT = "user.freehold.protect"  # on a protected machine and its volumes: volumes have no protection of Incus's own
INHERITED = "user.freehold.inherited"  # JSON: what the last start took from profiles and a live change cannot touch
VAINLY_REATTACHED = (
    "user.freehold.vainly-reattached"  # when the instance started, and devices that it lost since
)

BOOT_TIMEOUT = "user.freehold.boot-timeout"  # `600s`: who starts the machine waits so long, also without infra.yml

_KEPT_PREFIXES = ("volatile.", "image.", "user.", "restricted")
"""Whose keys are not infra.yml's: the server's own, people's, and how far a project is restricted, which its host decides."""


def marks(estate: str, domain: str) -> dict[str, str]:
    """The keys that make an object ours."""
    return {ESTATE: estate, DOMAIN: domain}


def owner(config: Mapping[str, str]) -> str | None:
    """The estate whose mark the object carries, None when it carries none."""
    return config.get(ESTATE)


def declared(config: Mapping[str, str], wanted: Collection[str] = ()) -> dict[str, str]:
    """The part of an object's config that infra.yml speaks of: not the server's own keys, nor people's `user.*`.

    `wanted` are the keys that infra.yml names itself, which may be some of `user.*`.
    """
    return {
        key: value
        for key, value in config.items()
        if key in wanted or not key.startswith(_KEPT_PREFIXES)
    }


def is_protected(config: Mapping[str, str]) -> bool:
    """Whether the object carries our mark of protection."""
    return config.get(PROTECT) == "true"


def protection(wanted: bool) -> dict[str, str]:
    """The key that says so, if it is wanted."""
    return {PROTECT: "true"} if wanted else {}


def boot_timeout(seconds: int | None) -> dict[str, str]:
    """The key that says how long the machine may take, if infra.yml says it."""
    return {BOOT_TIMEOUT: f"{seconds}s"} if seconds is not None else {}


def merged(current: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """The config to write over `current`: what infra.yml does not speak of stays, the rest is as wanted."""
    kept = {
        key: value
        for key, value in current.items()
        if key.startswith(_KEPT_PREFIXES) and key not in (PROTECT, BOOT_TIMEOUT)
    }
    return {**kept, **wanted}
