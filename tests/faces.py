"""Real faces for tests, from the data folder beside the repository; never committed, skipped without it."""

import csv
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray

DATA = Path(__file__).parents[2] / "shared" / "data"


def require_faces() -> Path:
    """Return the data folder, or skip the test that needs it."""
    if not (DATA / "README.md").exists():
        pytest.skip(f"needs the real faces of {DATA}, which are not part of the repository")
    return DATA


@cache
def people() -> dict[str, dict[str, list[Path]]]:
    """Return, by person, the photos to enrol and the photos to probe with (LFW)."""
    folder = require_faces() / "identity" / "lfw"
    found: dict[str, dict[str, list[Path]]] = defaultdict(lambda: {"enroll": [], "probe": []})
    with (folder / "gallery.csv").open() as file:
        for row in csv.DictReader(file):
            found[row["person"]][row["role"]].append(folder / row["path"])
    return dict(found)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Read a JPEG as RGB, shape (H, W, 3)."""
    return np.asarray(simplejpeg.decode_jpeg(path.read_bytes(), colorspace="RGB"), dtype=np.uint8)
