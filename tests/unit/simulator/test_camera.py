"""When a simulated camera shows its pictures."""

import asyncio
import time
from contextlib import suppress

from mien.simulator.camera import Shown, SimulatedCamera
from mien.simulator.clips import AccessUnit, Codec


class NumberedSource:
    """Pictures that carry their number."""

    size_wh = (2, 2)
    codec: Codec = "h264"
    parameter_sets: tuple[bytes, ...] = (b"", b"")
    is_live = False

    def __init__(self) -> None:
        self.taken = 0

    def next(self, *, with_jpeg: bool) -> Shown:
        self.taken += 1
        return Shown(AccessUnit((b"%d" % self.taken,), is_keyframe=True, duration_ticks=1), None)


class FirstPicture:
    """A viewer that keeps the first picture it is shown."""

    wants_jpeg = False

    def __init__(self) -> None:
        self.began_at = time.monotonic()
        self.seen: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def show(self, shown: Shown, ticks: int) -> None:
        if not self.seen.done():
            self.seen.set_result(shown.unit.nals[0])

    def disconnect(self) -> None:
        """Nothing to close."""


async def first_picture_after(turns: int, *, from_start: bool) -> tuple[int, bytes]:
    """Let a camera run for some turns, then watch; returns how many pictures had gone by, and the first."""
    source = NumberedSource()
    camera = SimulatedCamera("cam", source, from_start=from_start)
    running = asyncio.create_task(camera.run())
    for _ in range(turns):
        await asyncio.sleep(0)
    gone_by = source.taken
    viewer = FirstPicture()
    camera.add_viewer(viewer)
    picture = await asyncio.wait_for(viewer.seen, 10)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return gone_by, picture


async def test_a_camera_goes_on_whether_or_not_somebody_watches() -> None:
    """As real ones do: whoever comes later has missed something."""
    gone_by, picture = await first_picture_after(5, from_start=False)
    assert gone_by > 0
    assert int(picture) > 1


async def test_a_camera_from_the_start_waits_for_its_first_viewer() -> None:
    """Two measurements of the same clip then see the same pictures."""
    assert await first_picture_after(5, from_start=True) == (0, b"1")
