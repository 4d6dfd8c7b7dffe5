"""Real pictures whose faces are known, from the data folder beside the repository; not part of it."""

import csv
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.local.portraits import REPOSITORY
from mien.vision.boxes import Boxes

DATA: Final = REPOSITORY.parent / "shared" / "data"
NEGATIVES: Final = "negatives"
# Which overlap is a match depends on how the boxes were drawn: dlib's are tight squares.
MATCH_OVERLAP: Final = {"verified_groups": 0.4, "wider_samples": 0.4, "dlib_faces": 0.3}


@dataclass(frozen=True, eq=False)
class KnownPicture:
    """A picture and all its faces, boxes (N, 4) in pixels."""

    path: Path
    boxes_xyxy: Boxes


def known_faces() -> dict[str, list[KnownPicture]]:
    """Return the pictures with known faces, by set, and "negatives" without one; empty without the data."""
    if not DATA.is_dir():
        return {}
    nobody = np.zeros((0, 4), np.float32)
    negatives = [KnownPicture(path, nobody) for path in sorted((DATA / "detection" / "negatives").iterdir())]
    return {name: _read_boxes(DATA / "detection" / name) for name in MATCH_OVERLAP} | {NEGATIVES: negatives}


def lfw_pictures(count: int) -> list[Path]:
    """Return photographs of Labeled Faces in the Wild, each of a person in its middle: a seeded choice."""
    pictures = sorted((DATA / "identity" / "lfw" / "lfw-deepfunneled").glob("*/*.jpg"))
    return sorted(random.Random(0).sample(pictures, min(count, len(pictures))))  # noqa: S311 - no secret


def _read_boxes(folder: Path) -> list[KnownPicture]:
    found: defaultdict[Path, list[NDArray[np.float32]]] = defaultdict(list)
    with (folder / "boxes.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            x, y, width, height = (float(row[name]) for name in "xywh")
            found[folder / row["path"]].append(np.array([x, y, x + width, y + height], np.float32))
    return [KnownPicture(path, np.stack(boxes)) for path, boxes in found.items()]
