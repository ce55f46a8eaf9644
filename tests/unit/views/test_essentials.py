"""What the plan's one line says of a resource that is to be made."""

from freehold.planning.address import Address
from freehold.planning.change import Action, Change
from freehold.views.essentials import essentials


def test_files_that_hold_secrets_are_not_counted_as_secrets() -> None:
    secrets = {"/run/secrets/password": "ab12 0400", "/etc/cache.conf": "cd34 0400"}
    change = Change(
        address=Address("cortex", "service", "cache"),
        action=Action.CREATE,
        reason="does not exist yet",
        desired={"image": "example/cache:1", "secrets": secrets},
    )
    assert essentials(change) == ["example/cache:1", "1 secret", "1 file that holds secrets"]
