"""Real faces, cut out so that they can walk through made-up pictures."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.bench.peers import REPOSITORY
from mien.local.face_finder import find_faces
from mien.local.portraits import BIDEN, COLLINS, OBAMA_SMILING, OBAMA_SPEAKING, OBAMA_STANDING, read_rgb

STAGED: Final = REPOSITORY.parent / "shared" / "data"
_PORTRAITS: Final = (BIDEN, COLLINS, OBAMA_SMILING, OBAMA_SPEAKING, OBAMA_STANDING)
_FACE_PX: Final = 110
"""Height of the face in a cut-out."""


@dataclass(frozen=True, eq=False)
class CutOut:
    """A head with some shoulder.

    Attributes:
        picture_rgba: float32, shape (H, W, 4), 0 to 255 and 0 to 1; soft at its edge.
        face_xyxy: Where the face is in it, shape (4,).
    """

    picture_rgba: NDArray[np.float32]
    face_xyxy: NDArray[np.float32]


def staged_people(data: Path = STAGED, *, most: int = 60) -> list[CutOut]:
    """Return people of LFW, one photograph each in which exactly one face is found; empty without LFW."""
    folder = data / "identity" / "lfw"
    if not (folder / "gallery.csv").exists():
        return []
    with (folder / "gallery.csv").open() as file:
        first_photos = {row["person"]: folder / row["path"] for row in reversed(list(csv.DictReader(file)))}
    photos = sorted(first_photos.values())
    found = {Path(answer.path): answer for answer in find_faces(photos)}
    alone = [photo for photo in photos if len(found[photo.absolute()].boxes_xyxy) == 1][:most]
    return [_cut_out(_read(photo), found[photo.absolute()].boxes_xyxy[0]) for photo in alone]


def demo_people() -> list[CutOut]:
    """Return the demo's portraits, each as it is and mirrored: ten heads that anyone has."""
    heads = [_cut_out(read_rgb(portrait), portrait.face_xyxy) for portrait in _PORTRAITS]
    return heads + [_mirrored(head) for head in heads]


def _cut_out(photo_rgb: NDArray[np.uint8], face_xyxy: Sequence[float]) -> CutOut:
    left, top, right, bottom = face_xyxy
    scale = _FACE_PX / (bottom - top)
    width, height = round(_FACE_PX * 2.0), round(_FACE_PX * 2.2)
    centre_x, centre_y = (left + right) / 2, (top + bottom) / 2
    matrix = np.array(
        [[scale, 0, width / 2 - scale * centre_x], [0, scale, height * 0.45 - scale * centre_y]], np.float64
    )
    picture = cv2.warpAffine(
        photo_rgb, matrix, (width, height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    mask = np.zeros((height, width), np.float32)
    head = (round(_FACE_PX * 0.62), round(_FACE_PX * 0.82))
    cv2.ellipse(mask, (width // 2, round(height * 0.43)), head, 0, 0, 360, 1.0, -1)
    cv2.ellipse(mask, (width // 2, height), (round(width * 0.46), round(height * 0.28)), 0, 0, 360, 1.0, -1)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 2), dtype=np.float32)
    box = np.array([left, top, right, bottom], np.float32) * scale + np.tile(matrix[:, 2], 2)
    return CutOut(np.dstack([picture.astype(np.float32), mask]), box.astype(np.float32))


def _mirrored(head: CutOut) -> CutOut:
    width = head.picture_rgba.shape[1]
    left, top, right, bottom = head.face_xyxy
    return CutOut(
        np.ascontiguousarray(head.picture_rgba[:, ::-1]),
        np.array([width - right, top, width - left, bottom], np.float32),
    )


def _read(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), dtype=np.uint8)
