"""The framing between plugin, keeper and machine: what goes in comes out, however it is cut up on the way."""

from hypothesis import given
from hypothesis import strategies as st

from freehold.system.warm.target import frames
from freehold.system.warm.target.frames import Decoder, Frame, encode, encode_data, encode_document

some_frames = st.lists(
    st.builds(Frame, st.integers(0, 2**32 - 1), st.integers(0, 255), st.binary(max_size=300)),
    max_size=8,
)


@given(sent=some_frames, cuts=st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_frames_survive_any_cut(sent: list[Frame], cuts: list[int]) -> None:
    content = b"".join(encode(*frame) for frame in sent)
    decoder = Decoder()
    received: list[Frame] = []

    start = 0
    while start < len(content):
        size = cuts[start % len(cuts)]
        received += decoder.feed(content[start : start + size])
        start += size

    assert received == sent


def test_half_a_frame_is_no_frame() -> None:
    whole = encode(7, frames.OUTPUT, b"twelve bytes")

    assert list(Decoder().feed(whole[:-1])) == []


@given(content=st.binary(max_size=2000))
def test_data_end_with_end(content: bytes) -> None:
    received = list(Decoder().feed(encode_data(3, content)))

    assert b"".join(frame.content for frame in received) == content
    assert [frame.kind for frame in received[-1:]] == [frames.END]
    assert {frame.kind for frame in received[:-1]} <= {frames.DATA}


def test_file_names_that_are_no_text_survive() -> None:
    path = b"/srv/\xff\xfe".decode("utf-8", "surrogateescape")

    (frame,) = Decoder().feed(encode_document(1, frames.GET, {"path": path}))

    assert frame.document() == {"path": path}
