"""Field-by-field differences."""

from hypothesis import given
from hypothesis import strategies as st

from freehold.planning.address import Address
from freehold.planning.change import differences

VALUES = st.recursive(
    st.none() | st.integers(0, 3) | st.text("ab", max_size=2) | st.lists(st.integers(0, 2)),
    lambda inner: st.dictionaries(st.text("xyz", min_size=1, max_size=2), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.text("xyz", min_size=1, max_size=2), VALUES, max_size=3)


def test_leaves_are_told_with_dotted_paths_in_order() -> None:
    before = {"config": {"limits.cpu": "1", "gone": "x"}, "same": [1]}
    after = {"config": {"limits.cpu": "2"}, "devices": {"root": {"size": "1GiB"}}, "same": [1]}
    assert list(differences(before, after)) == [
        ("config.gone", "x", None),
        ("config.limits.cpu", "1", "2"),
        ("devices.root.size", None, "1GiB"),
    ]


def test_an_empty_mapping_is_no_difference() -> None:
    assert list(differences({"config": {}}, {})) == []
    assert list(differences({}, {"devices": {}, "list": []})) == []


@given(FIELDS)
def test_nothing_differs_from_itself(fields: dict[str, object]) -> None:
    assert list(differences(fields, fields)) == []


@given(FIELDS, FIELDS)
def test_the_other_way_round_is_the_mirror_image(
    a: dict[str, object], b: dict[str, object]
) -> None:
    there = {(path, repr(x), repr(y)) for path, x, y in differences(a, b)}
    back = {(path, repr(y), repr(x)) for path, x, y in differences(b, a)}
    assert there == back


def test_an_address_reads_back() -> None:
    for address in (Address("a", "project"), Address("a", "volume", "m/data")):
        assert Address.parse(str(address)) == address
