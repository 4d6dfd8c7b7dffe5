"""One live scene in several streams, as a camera shows it in its sub-stream and in its main stream."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

from mien.simulator.camera import Pace, Shown, SimulatedCamera, burn_in, loop_pictures
from mien.simulator.clips import FPS, RTP_HZ, Codec, Encoder, parameter_sets


class Scene:
    """A file whose streams show the same picture at the same time, with the same clock burned into it.

    Attributes:
        streams: One per size, to be watched like any other camera.
    """

    def __init__(self, path: Path, sizes_wh: Mapping[str, tuple[int, int]]) -> None:
        self._pictures = loop_pictures(path, max(sizes_wh.values()))
        self.advance()
        self.streams = [SimulatedCamera(name, SceneSource(self, size)) for name, size in sizes_wh.items()]

    def advance(self) -> None:
        """Go on to the next picture, which is taken now."""
        self.picture = next(self._pictures)
        self.taken_at = time.time()

    async def run(self) -> None:
        """Show pictures in all streams until cancelled, under the times at which they were taken."""
        pace = Pace()
        started_at = self.taken_at
        while True:
            await asyncio.to_thread(self.advance)
            ticks = round((self.taken_at - started_at) * RTP_HZ)
            for stream in self.streams:
                await stream.show_next(ticks)
            await pace.wait(RTP_HZ // FPS)


class SceneSource:
    """What one stream of a scene shows: the picture of the moment in its size."""

    is_live = True
    codec: Codec = "h264"

    def __init__(self, scene: Scene, size_wh: tuple[int, int]) -> None:
        self.size_wh = size_wh
        self._scene = scene
        self._encoder = Encoder(size_wh)
        self.parameter_sets = parameter_sets((self.next(with_jpeg=False).unit,))
        self._encoder = Encoder(size_wh)

    def next(self, *, with_jpeg: bool) -> Shown:
        """Encode the picture of the moment."""
        width, height = self.size_wh
        scaled = self._scene.picture.reformat(width, height, interpolation="AREA", threads=1)
        return burn_in(scaled, self._scene.taken_at, self._encoder, with_jpeg=with_jpeg)
