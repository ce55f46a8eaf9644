"""What programs say, as a problem quotes it: why it failed, and not that it did or how far it got."""

from freehold.planning.address import Address
from freehold.providers.compose import problems

SITE = Address("cortex", "service", "site")


def test_of_tar_the_reason_is_told() -> None:
    said = "tar: etc/site.conf: Cannot write: No space left on device\ntar: Exiting with failure status due to previous errors\n"
    assert "No space left on device." in problems.undelivered("cortex", "site", said).detail
    only = "tar: Exiting with failure status due to previous errors"
    assert only in problems.undelivered("cortex", "site", only).detail


def test_of_compose_the_reason_is_told() -> None:
    said = """ Network maison_front  Creating
 Network maison_front  Created
 Container maison-site-1  Creating
 Container maison-site-1  Starting
Error response from daemon: driver failed: Bind for 0.0.0.0:80 failed: port is already allocated
"""
    detail = problems.not_started(SITE, said).detail
    assert detail.startswith("cortex/site: Error response from daemon")
    assert "Creating" in problems.not_started(SITE, " Container maison-site-1  Creating").detail
