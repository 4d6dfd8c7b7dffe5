"""Which picture of a main stream belongs to a frame, and how many are kept to choose from."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.closeups import PictureRing, find_same_time, seconds_between, why_unusable
from services.ingest.sources.decoded import _MOST_UNSEEN_BYTES, _MOST_UNSEEN_PACKETS, UnseenPackets

MS = 1_000_000
FPS = 15


@dataclass(frozen=True)
class Moment:
    captured_at_ns: int
    camera_clock_ns: int | None = None


@dataclass(frozen=True)
class FakePicture:
    media_seconds: float
    captured_at_ns: int
    camera_clock_ns: int | None = None
    size_wh: tuple[int, int] = (1920, 1080)
    size_bytes: int = 3_000_000

    def coarse_luma(self) -> np.ndarray:
        raise NotImplementedError

    def to_jpeg(self, *, max_width_px: int, quality: int) -> tuple[bytes, tuple[int, int]]:
        raise NotImplementedError


def stream(
    *, fps: float = FPS, count: int = 8, late_ms: float = 0, clock_ms: float | None = None
) -> list[FakePicture]:
    """Pictures from 0 s on that arrive late, under a clock that is ahead of ours."""
    pictures = []
    for index in range(count):
        taken_ns = round(index / fps * 1e9)
        clock = None if clock_ms is None else taken_ns + round(clock_ms * MS)
        pictures.append(FakePicture(index / fps, taken_ns + round(late_ms * MS), clock))
    return pictures


def test_the_nearest_picture_is_found() -> None:
    """The same moment, or half an interval away at most."""
    pictures = stream()
    for index, picture in enumerate(pictures):
        for apart_ms in (-30, 0, 30):
            match = find_same_time(pictures, Moment(round(index / FPS * 1e9) + apart_ms * MS))
            assert match.picture is picture


def test_what_is_not_near_is_not_taken() -> None:
    """A moment before all pictures has none and never will; one after them may still get one."""
    pictures = stream()
    before = find_same_time(pictures, Moment(-200 * MS))
    assert (before.picture, before.is_final) == (None, True)
    after = find_same_time(pictures, Moment(pictures[-1].captured_at_ns + 100 * MS))
    assert (after.picture, after.is_final) == (None, False)
    assert find_same_time([], Moment(0)).is_final is False


def test_a_picture_is_waited_for_only_if_it_can_be_nearer() -> None:
    """A moment closer to the newest picture than to the next one is settled."""
    pictures = stream()
    newest_ns = pictures[-1].captured_at_ns
    assert find_same_time(pictures, Moment(newest_ns + 30 * MS)).is_final
    waits = find_same_time(pictures, Moment(newest_ns + 40 * MS))
    assert (waits.picture, waits.is_final) == (pictures[-1], False)


def test_a_slow_stream_is_not_taken_for_the_moment_between_its_pictures() -> None:
    """Of two pictures a second a head has moved on after a tenth of a second."""
    pictures = stream(fps=2)
    assert find_same_time(pictures, Moment(100 * MS)).picture is pictures[0]
    match = find_same_time(pictures, Moment(200 * MS))
    assert (match.picture, match.is_final) == (None, True)


@given(late_ms=st.floats(-150, 150), ahead_ms=st.floats(-1e9, 1e9))
def test_the_cameras_clock_decides_where_both_streams_tell_it(late_ms: float, ahead_ms: float) -> None:
    """However wrong that clock is, and however differently the streams arrive."""
    pictures = stream(late_ms=late_ms, clock_ms=ahead_ms)
    taken_ns = round(3 / FPS * 1e9)
    assert find_same_time(pictures, Moment(taken_ns, taken_ns + round(ahead_ms * MS))).picture is pictures[3]


def test_clocks_that_the_sessions_do_not_share_are_not_compared() -> None:
    """A camera that counts each session's time from its start: arrivals decide."""
    one, other = Moment(5_000 * MS, 100_000 * MS), Moment(5_040 * MS, 7_000 * MS)
    assert seconds_between(one, other) == pytest.approx(0.04)
    assert seconds_between(one, Moment(5_040 * MS)) == pytest.approx(0.04)
    assert seconds_between(one, Moment(5_040 * MS, 100_003 * MS)) == pytest.approx(0.003)


def test_a_ring_is_bounded_in_number_and_in_bytes() -> None:
    """The oldest go first; one picture is kept however large it is."""
    pictures = stream(count=8)
    ring = PictureRing(max_pictures=5, max_bytes=100_000_000)
    for picture in pictures:
        ring.add(picture)
    assert ring.pictures() == pictures[3:]
    small = PictureRing(max_pictures=5, max_bytes=7_000_000)
    for picture in pictures:
        small.add(picture)
    assert (small.pictures(), small.size_bytes) == (pictures[6:], 6_000_000)
    tiny = PictureRing(max_pictures=5, max_bytes=1)
    tiny.add(pictures[0])
    assert tiny.pictures() == pictures[:1]
    tiny.clear()
    assert tiny.pictures() == []


@pytest.mark.parametrize(
    ("main_wh", "expected"),
    [
        ((1920, 1080), None),
        ((1920, 1088), None),
        ((1280, 960), "other_view"),
        ((704, 396), "no_gain"),
        ((320, 180), "no_gain"),
    ],
)
def test_what_makes_a_main_stream_useless(main_wh: tuple[int, int], expected: str | None) -> None:
    """Another shape, or hardly more pixels; lines added for the encoder (1088) are neither."""
    assert why_unusable((640, 360), main_wh) == expected


@dataclass(frozen=True)
class FakePacket:
    number: int
    is_keyframe: bool = False
    size: int = 1000


def unseen_after(packets: list[FakePacket]) -> list[int]:
    unseen = UnseenPackets()
    for packet in packets:
        unseen.add(packet)
    return [packet.number for packet in unseen.take()]


def test_packets_are_kept_back_to_the_last_keyframe() -> None:
    """What a decoder needs to show the present, and nothing older."""
    packets = [FakePacket(number, is_keyframe=number % 30 == 0) for number in range(95)]
    assert unseen_after(packets) == [90, 91, 92, 93, 94]


def test_packets_go_on_where_the_decoder_stopped() -> None:
    """What was taken once is not taken again."""
    unseen = UnseenPackets()
    unseen.add(FakePacket(0, is_keyframe=True))
    assert [packet.number for packet in unseen.take()] == [0]
    unseen.add(FakePacket(1))
    unseen.add(FakePacket(2))
    assert [packet.number for packet in unseen.take()] == [1, 2]


def test_a_gap_is_never_handed_to_the_decoder() -> None:
    """Given up for their number, their bytes, or because reading fell behind: nothing until a keyframe."""
    many = [FakePacket(number, is_keyframe=number == 0) for number in range(_MOST_UNSEEN_PACKETS + 20)]
    large = [FakePacket(0, is_keyframe=True), FakePacket(1, size=_MOST_UNSEEN_BYTES), FakePacket(2)]
    for packets in (many, large):
        assert unseen_after(packets) == []
        assert unseen_after([*packets, FakePacket(900, is_keyframe=True), FakePacket(901)]) == [900, 901]
    unseen = UnseenPackets()
    unseen.add(FakePacket(0, is_keyframe=True))
    unseen.give_up()
    unseen.add(FakePacket(1))
    assert list(unseen.take()) == []
