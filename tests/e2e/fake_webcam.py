"""What Chromium's fake camera shows: a person who turns and nods, in a file that it plays again and again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE_WH: Final = (640, 360)
FPS: Final = 10
SECONDS_A_LOOK: Final = 3

# How far the middle of the face is pushed, in shares of its side: to the right, and down.
LOOKS: Final = {
    "front": (0.0, 0.0),
    "left": (0.55, 0.0),
    "right": (-0.34, 0.0),
    "up": (0.0, -0.13),
    "down": (0.0, 0.13),
}


def turned(
    image_rgb: NDArray[np.uint8], face_xyxy: Sequence[float], push: tuple[float, float]
) -> NDArray[np.uint8]:
    """Push the middle of a face aside, as the nose moves when a head turns; a picture of shape (H, W, 3).

    It is a caricature of a turn, but the landmarks move as they do in one.
    """
    left, top, right, bottom = face_xyxy
    side = right - left
    centre_x, centre_y = (left + right) / 2, top + 0.58 * (bottom - top)
    y, x = np.mgrid[0 : image_rgb.shape[0], 0 : image_rgb.shape[1]].astype(np.float32)
    near = np.exp(-(((x - centre_x) / (0.22 * side)) ** 2 + ((y - centre_y) / (0.22 * side)) ** 2))
    from_x = (x - push[0] * side * near).astype(np.float32)
    from_y = (y - push[1] * side * near).astype(np.float32)
    return np.asarray(cv2.remap(image_rgb, from_x, from_y, cv2.INTER_LINEAR), dtype=np.uint8)


def write_fake_webcam(
    path: Path, image_rgb: NDArray[np.uint8], face_xyxy: Sequence[float], *, looks: Sequence[str] = ("front",)
) -> Path:
    """Write a Y4M video of somebody with these looks, one after the other; returns *path*."""
    width, height = SIZE_WH
    rng = np.random.default_rng(3)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for look in looks:
            picture = _framed(turned(image_rgb, face_xyxy, LOOKS[look]), face_xyxy)
            for _ in range(FPS * SECONDS_A_LOOK):
                noisy = np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
                file.write(b"FRAME\n" + cv2.cvtColor(noisy, cv2.COLOR_RGB2YUV_I420).tobytes())
    return path


def _framed(image_rgb: NDArray[np.uint8], face_xyxy: Sequence[float]) -> NDArray[np.uint8]:
    """Cut a picture so that the face fills its middle, as in front of a laptop."""
    width, height = SIZE_WH
    left, top, right, bottom = face_xyxy
    scale = 0.5 * height / (bottom - top)
    move = np.array(
        [
            [scale, 0, width / 2 - scale * (left + right) / 2],
            [0, scale, height / 2 - scale * (top + bottom) / 2],
        ]
    )
    return np.asarray(
        cv2.warpAffine(image_rgb, move, SIZE_WH, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE),
        dtype=np.uint8,
    )
