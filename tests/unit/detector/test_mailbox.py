"""Only the newest frame of a camera is worth waiting."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.contracts.frames import Frame
from services.detector.mailbox import Mailbox, WaitingFrame
from tests.fakes import FakeRecord

NOW_NS = 1_790_000_000_000_000_000
MS = 1_000_000


def waiting(camera_id: str, seq: int, *, epoch: int = 1, age_ms: float = 0) -> WaitingFrame:
    """Return a frame taken *age_ms* before now; it may be a second old."""
    frame = Frame(
        frame_id=f"{camera_id}:{epoch}:{seq}",
        jpeg=b"\xff\xd8",
        captured_at_ns=NOW_NS - int(age_ms * MS),
        size_wh=(640, 360),
        max_age_ms=1000,
    )
    return WaitingFrame(frame, FakeRecord(b"", seq))


async def taken(mailbox: Mailbox) -> list[str]:
    """Take all that waits."""
    found = []
    while (one := await mailbox.take(0)) is not None:
        found.append(one.frame.frame_id)
    return found


async def test_a_newer_frame_takes_the_place_of_an_older() -> None:
    """Of three frames of a camera the last is looked at; the others are counted as superseded."""
    mailbox = Mailbox()
    reasons = [mailbox.put(waiting("a", seq, age_ms=90 - seq), now_ns=NOW_NS) for seq in range(3)]
    assert reasons == [None, "superseded", "superseded"]
    assert await taken(mailbox) == ["a:1:2"]


async def test_cameras_take_turns() -> None:
    """A camera that keeps sending does not push others back: it keeps its turn, not more."""
    mailbox = Mailbox()
    for seq, camera_id in enumerate(["a", "b", "a", "a", "c", "a"]):
        mailbox.put(waiting(camera_id, seq, age_ms=100 - seq), now_ns=NOW_NS)
    assert await taken(mailbox) == ["a:1:5", "b:1:1", "c:1:4"]


async def test_stale_frames_are_refused() -> None:
    """A frame older than it may be never gets in."""
    mailbox = Mailbox()
    assert mailbox.put(waiting("a", 1, age_ms=1001), now_ns=NOW_NS) == "stale"
    assert await taken(mailbox) == []


@pytest.mark.parametrize(
    ("late", "reason"),
    [
        (waiting("a", 9, epoch=1, age_ms=1), "old_epoch"),
        (waiting("a", 9, epoch=2, age_ms=50), "out_of_order"),
        (waiting("a", 9, epoch=2, age_ms=20), "out_of_order"),
        (waiting("a", 9, epoch=3, age_ms=1), None),
    ],
)
async def test_stragglers_are_refused(late: WaitingFrame, reason: str | None) -> None:
    """After a frame of epoch 2, an older epoch or an older picture is refused; a newer epoch is not."""
    mailbox = Mailbox()
    mailbox.put(waiting("a", 1, epoch=2, age_ms=20), now_ns=NOW_NS)
    await taken(mailbox)
    assert mailbox.put(late, now_ns=NOW_NS) == reason


async def test_counters_that_were_lost_are_no_stragglers() -> None:
    """When the epochs begin anew, a camera is heard again after ten seconds instead of never."""
    mailbox = Mailbox()
    mailbox.put(waiting("a", 1, epoch=700), now_ns=NOW_NS)
    later_ns = NOW_NS + 11_000 * MS
    anew = waiting("a", 2, epoch=1, age_ms=-11_000)
    assert mailbox.put(anew, now_ns=later_ns) == "superseded"
    assert await taken(mailbox) == ["a:1:2"]


async def test_a_clock_set_back_is_no_straggler() -> None:
    """When all clocks go back by a minute, frames go on."""
    mailbox = Mailbox()
    mailbox.put(waiting("a", 1), now_ns=NOW_NS)
    assert await taken(mailbox) == ["a:1:1"]
    assert mailbox.put(waiting("a", 2, age_ms=60_000), now_ns=NOW_NS - 60_000 * MS) is None


async def test_a_forgotten_camera_starts_afresh() -> None:
    """What waited is gone, and its epoch with it."""
    mailbox = Mailbox()
    mailbox.put(waiting("a", 1, epoch=5), now_ns=NOW_NS)
    mailbox.forget("a")
    assert await taken(mailbox) == []
    assert mailbox.put(waiting("a", 2, epoch=1, age_ms=5), now_ns=NOW_NS) is None


arrivals = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.floats(0, 2000)), max_size=40)


@given(arrivals)
async def test_every_frame_is_either_taken_or_dropped_with_a_reason(
    frames: list[tuple[str, int, float]],
) -> None:
    """Whatever comes, taken and dropped add up, and of each camera at most one frame waits: its newest."""
    mailbox = Mailbox()
    reasons = [
        mailbox.put(waiting(camera_id, seq, epoch=epoch, age_ms=age), now_ns=NOW_NS)
        for seq, (camera_id, epoch, age) in enumerate(frames)
    ]
    left = await taken(mailbox)
    assert len(left) + sum(reason is not None for reason in reasons) == len(frames)
    assert len({frame_id.split(":")[0] for frame_id in left}) == len(left)


async def test_too_many_frames_are_shared_out_evenly() -> None:
    """Whoever sends often, or right after its turn, is looked at no more often than the others.

    A look takes three ticks and there are three cameras, so of each a frame in nine ticks can be looked at;
    all of them send more.
    """
    mailbox = Mailbox()
    every_ticks = {"eager": 1, "steady": 5, "rare": 8}
    looks: Counter[str] = Counter()
    for tick in range(900):
        for camera_id, interval in every_ticks.items():
            if tick % interval == 0:
                mailbox.put(waiting(camera_id, tick, age_ms=900 - tick), now_ns=NOW_NS)
        if tick % 3 == 2 and (one := await mailbox.take(0)) is not None:
            looks[one.frame.camera_id] += 1
    assert sum(looks.values()) == 300
    assert max(looks.values()) - min(looks.values()) <= 1
