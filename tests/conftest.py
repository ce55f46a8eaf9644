"""What holds for every test: Hypothesis' settings, the lab's need of root, time limits by kind."""

import os

import pytest
from hypothesis import HealthCheck, settings

# No deadline per example: on a busy machine it would fail at random. The time limit of the test holds.
settings.register_profile(
    "freehold", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
# Continuous integration must not fail on Tuesdays only.
settings.register_profile("freehold-ci", settings.get_profile("freehold"), derandomize=True)
settings.load_profile("freehold-ci" if os.environ.get("CI") else "freehold")

LAB_SECONDS = 600
SLOW_SECONDS = 3600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives lab and slow tests their time. Skips the lab for who is not root, except in `make test`."""
    may_skip = os.geteuid() != 0 and "FREEHOLD_INSTALLED" not in os.environ
    for item in items:
        is_lab = item.get_closest_marker("lab") is not None
        is_slow = item.get_closest_marker("slow") is not None
        if item.get_closest_marker("timeout") is None and (is_lab or is_slow):
            item.add_marker(pytest.mark.timeout(SLOW_SECONDS if is_slow else LAB_SECONDS))
        if is_lab and may_skip:
            item.add_marker(pytest.mark.skip(reason="the lab needs root: run `make test`"))
