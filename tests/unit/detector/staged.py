"""Pictures whose faces are known."""

import csv
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.faces import require_faces


def require(folder: str) -> Path:
    """Return a folder of pictures with known faces, or skip the test that needs it."""
    return require_faces() / "detection" / folder


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Read a picture as RGB, shape (H, W, 3)."""
    image = cv2.imread(str(path))
    assert image is not None, f"{path.name} is no picture"
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def boxes_by_picture(folder: Path) -> dict[Path, NDArray[np.float32]]:
    """Return the known faces of each picture, boxes (N, 4) in pixels."""
    found: defaultdict[Path, list[list[float]]] = defaultdict(list)
    with (folder / "boxes.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            x, y, width, height = (float(row[name]) for name in "xywh")
            found[folder / row["path"]].append([x, y, x + width, y + height])
    return {path: np.array(boxes, np.float32) for path, boxes in found.items()}
