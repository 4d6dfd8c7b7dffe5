"""Short H.264 clips of given photos, slowly moving and with sensor noise, as a small camera sends them."""

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

SIZE_WH = (640, 360)


def write_clip(
    path: Path, photos_rgb: Sequence[NDArray[np.uint8]], *, seconds: float = 6, fps: int = 15
) -> Path:
    """Write a clip that shows one to three photos side by side, drifting; returns *path*.

    The drift is a closed loop, so that the clip can be repeated without a jump.
    """
    frames = int(seconds * fps)
    rng = np.random.default_rng(len(photos_rgb))
    side = min(300, SIZE_WH[0] // len(photos_rgb) - 20)
    tiles = [cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA) for photo in photos_rgb]
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream(
            "libx264", rate=fps, options={"preset": "veryfast", "bf": "0", "g": str(fps)}
        )
        stream.width, stream.height, stream.pix_fmt = *SIZE_WH, "yuv420p"
        stream.codec_context.thread_count = 1
        for index in range(frames):
            picture = _compose(tiles, phase=2 * np.pi * index / frames)
            noisy = np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(noisy, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def _compose(tiles: Sequence[NDArray[np.uint8]], *, phase: float) -> NDArray[np.float64]:
    canvas = np.full((SIZE_WH[1], SIZE_WH[0], 3), 96.0)
    slot = SIZE_WH[0] // len(tiles)
    for number, tile in enumerate(tiles):
        side = len(tile)
        left = number * slot + (slot - side) // 2 + round(8 * np.sin(phase + number))
        top = (SIZE_WH[1] - side) // 2 + round(8 * np.cos(phase + number))
        canvas[top : top + side, left : left + side] = tile
    return canvas
