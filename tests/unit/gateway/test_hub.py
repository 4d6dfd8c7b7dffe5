"""Live fan-out: the newest frame for each, and nobody waits for anybody."""

import asyncio

import pytest
from prometheus_client import REGISTRY

from mien.contracts.live import LiveFrame
from mien.contracts.shared_state import TrackResult
from services.gateway.hub import FrameMessage, Hub, Viewer
from services.gateway.track_memory import TrackMemory


def message(camera_id: str, seq: int) -> FrameMessage:
    frame = LiveFrame(
        camera_id=camera_id, frame_id=f"{camera_id}:1:{seq}", captured_at_ns=seq, detected_at_ns=0,
        sent_at_ns=0, size_wh=(64, 48), faces=[],
    )  # fmt: skip
    return FrameMessage(frame, b"\xff\xd8")


def dropped() -> float:
    labels = {"stage": "gateway", "reason": "slow_viewer"}
    return REGISTRY.get_sample_value("mien_dropped_total", labels) or 0.0


def watching(hub: Hub, *cameras: str) -> Viewer:
    viewer = Viewer()
    hub.add(viewer)
    hub.watch(viewer, frozenset(cameras))
    return viewer


async def test_slow_viewer_loses_old_frames_and_stalls_nobody() -> None:
    """The fast viewer gets each frame; the slow one gets the newest, and the loss is counted."""
    hub, before = Hub(), dropped()
    fast, slow = watching(hub, "door"), watching(hub, "door")
    for seq in range(100):
        hub.send_frame(message("door", seq))
        taken = await fast.take()
        assert isinstance(taken, FrameMessage)
        assert taken.frame.captured_at_ns == seq
    newest = await slow.take()
    assert isinstance(newest, FrameMessage)
    assert newest.frame.captured_at_ns == 99
    assert dropped() - before == 99


async def test_busy_camera_starves_no_other() -> None:
    """A replaced frame keeps its place: the quiet camera's frame comes second, not never."""
    hub = Hub()
    viewer = watching(hub, "busy", "quiet")
    hub.send_frame(message("busy", 1))
    hub.send_frame(message("quiet", 1))
    hub.send_frame(message("busy", 2))
    first, second = await viewer.take(), await viewer.take()
    assert isinstance(first, FrameMessage)
    assert isinstance(second, FrameMessage)
    assert [first.frame.frame_id, second.frame.frame_id] == ["busy:1:2", "quiet:1:1"]


async def test_viewer_gets_only_what_it_watches() -> None:
    """Changing what is watched takes back what was waiting of the other camera."""
    hub = Hub()
    viewer = watching(hub, "door")
    hub.send_frame(message("door", 1))
    hub.watch(viewer, frozenset({"hall"}))
    hub.send_frame(message("door", 2))
    hub.send_frame(message("hall", 3))
    taken = await viewer.take()
    assert isinstance(taken, FrameMessage)
    assert taken.frame.camera_id == "hall"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(viewer.take(), 0.01)


async def test_camera_is_watched_while_somebody_watches_it() -> None:
    """The last viewer to leave ends the watching, and each change is told."""
    hub, told = Hub(), []
    hub.on_change(lambda: told.append(hub.watched))
    first, second = watching(hub, "door"), watching(hub, "door", "hall")
    hub.remove(first)
    hub.remove(second)
    assert told[-3:] == [{"door", "hall"}, {"door", "hall"}, frozenset()]
    assert hub.viewer_count == 0


async def test_texts_reach_everybody_and_coalesce() -> None:
    """Of several statuses of a camera the newest is sent."""
    hub = Hub()
    viewer = watching(hub)
    hub.send_text(("camera", "door"), "old")
    hub.send_text(("camera", "door"), "new")
    hub.send_text("cameras_changed", "changed")
    assert [await viewer.take(), await viewer.take()] == ["new", "changed"]


def test_memory_asks_for_each_new_track_once_and_stays_small() -> None:
    """Tracks that are in the picture are forgotten last."""
    memory = TrackMemory(max_tracks=3)
    assert memory.meet("door", ["a"]) == ["a"]
    assert memory.meet("door", ["a"]) == []
    for track_id in ("a", "b", "c"):
        memory.add(TrackResult(camera_id="door", track_id=track_id))
    memory.meet("door", ["a"])
    memory.add(TrackResult(camera_id="door", track_id="d"))
    assert set(memory.results_of("door")) == {"c", "a", "d"}
    memory.keep_only(["hall"])
    assert memory.meet("door", ["a"]) == ["a"]
