"""Commands in messages are those that this user has to type."""

from freehold.views.commands import as_typed

HINT = "Look at it with `freehold plan`, or:\n    freehold apply --prune\n    incus list"


def test_nothing_changes_for_who_calls_it_plainly() -> None:
    assert as_typed(HINT, "freehold") == HINT


def test_the_folder_is_named_again() -> None:
    assert as_typed(HINT, "freehold -C demo") == (
        "Look at it with `freehold -C demo plan`, or:\n"
        "    freehold -C demo apply --prune\n    incus list"
    )


def test_in_the_lab_incus_is_the_labs() -> None:
    told = as_typed(HINT, "freehold --lab")
    assert "    freehold --lab apply --prune" in told
    assert "    freehold lab run -- incus list" in told


def test_in_the_lab_its_storage_is_the_labs() -> None:
    hint = "Do:\n    sudo mv /x /y\n    sudo modprobe kvm"
    assert as_typed(hint, "freehold -C demo") == hint
    assert as_typed(hint, "freehold --lab") == (
        "Do:\n    freehold lab run -- mv /x /y\n    sudo modprobe kvm"
    )


def test_the_labs_own_commands_stay() -> None:
    told = "Use `freehold lab start`:\n    freehold lab start"
    assert as_typed(told, "freehold --lab -C demo") == told
