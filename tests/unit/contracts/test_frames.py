"""A frame survives Kafka, and a camera that lies is refused in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.contracts.frames import Frame
from mien.errors import ContractError

JPEG = b"\xff\xd8\xff\xd9"


@given(
    epoch=st.integers(0, 2**40),
    seq=st.integers(0, 2**40),
    captured_at_ns=st.integers(0, 2**62),
    still=st.booleans(),
    clock=st.none() | st.integers(0, 2**62),
    closeup=st.none() | st.just((b"\xff\xd8\x00\xff\xd9", (1920, 1080))),
)
def test_frame_round_trips_through_headers(
    epoch: int,
    seq: int,
    captured_at_ns: int,
    still: bool,
    clock: int | None,
    closeup: tuple[bytes, tuple[int, int]] | None,
) -> None:
    """What ingest puts into the headers is what the detector reads."""
    frame = Frame(
        frame_id=f"front-door:{epoch}:{seq}",
        jpeg=JPEG,
        captured_at_ns=captured_at_ns,
        size_wh=(640, 360),
        still=still,
        camera_clock_ns=clock,
        closeup_jpeg=closeup and closeup[0],
        closeup_size_wh=closeup and closeup[1],
    )
    assert Frame.from_record(frame.headers(), JPEG) == frame
    assert (frame.camera_id, frame.epoch) == ("front-door", epoch)


def test_frame_is_stale_only_beyond_its_age_limit() -> None:
    """Exactly as old as allowed is still good."""
    frame = Frame(frame_id="a:1:1", jpeg=JPEG, captured_at_ns=0, size_wh=(1, 1), max_age_ms=100)
    assert not frame.is_stale(100_000_000)
    assert frame.is_stale(100_000_001)


GOOD = Frame(frame_id="a:1:1", jpeg=JPEG, captured_at_ns=5, size_wh=(640, 360)).headers()


@pytest.mark.parametrize(
    ("headers", "jpeg", "words"),
    [
        (GOOD[1:], JPEG, "frame_id"),
        ([*GOOD[:1], ("captured_at_ns", b"yesterday"), *GOOD[2:]], JPEG, "malformed"),
        ([("frame_id", b"no-colons"), *GOOD[1:]], JPEG, "malformed"),
        ([*GOOD[:2], ("size_wh", b"640"), *GOOD[3:]], JPEG, "malformed"),
        ([*GOOD[:2], ("size_wh", b"\xff\xfe"), *GOOD[3:]], JPEG, "malformed"),
        (GOOD, b"", "JPEG"),
        (GOOD, None, "JPEG"),
        (GOOD, b"\x89PNG", "8950"),
    ],
)
def test_malformed_frame_is_refused_in_words(
    headers: list[tuple[str, bytes]], jpeg: bytes | None, words: str
) -> None:
    """Each way to be malformed is a ContractError that names what is wrong."""
    with pytest.raises(ContractError, match=words):
        Frame.from_record(headers, jpeg)
