"""The built models, and faces to run them on."""

import os
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from model_repo import repository
from model_repo.sources import FACE_API, HUMAN, DownloadError, PackageFiles, fetch

# Boxes (x, y, width, height) of faces in the sample photographs that face-api's package carries.
_FACES = {
    "sample1.jpg": [(825, 420, 204, 242), (421, 367, 174, 232)],
    "sample3.jpg": [(1060, 195, 230, 314), (586, 324, 208, 276)],
}


def skip_or_fail(reason: str) -> NoReturn:
    """Skip with a reason; where CI must have the tier, fail instead."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def models() -> Path:
    """The model repository, built as `mien models build` does."""
    try:
        for recipe in repository.RECIPES:
            repository.build(recipe, repository.ROOT, on_step=lambda step: None)
    except DownloadError as error:
        skip_or_fail(f"the models can't be built here: {error}")
    return repository.ROOT


@pytest.fixture(scope="session")
def face_api(models: Path) -> PackageFiles:
    """The package that two of the models come from, and the photographs in it."""
    return fetch(FACE_API, models / ".downloads")


@pytest.fixture(scope="session")
def human(models: Path) -> PackageFiles:
    """The package that the second embedder comes from."""
    return fetch(HUMAN, models / ".downloads")


@pytest.fixture(scope="session")
def faces(face_api: PackageFiles) -> list[NDArray[np.uint8]]:
    """Four real faces, uint8 RGB, of their own sizes."""
    found: list[NDArray[np.uint8]] = []
    for name, boxes in _FACES.items():
        content = np.frombuffer(face_api.read(f"package/demo/{name}"), np.uint8)
        photo = cv2.imdecode(content, cv2.IMREAD_COLOR)
        assert photo is not None
        photo_rgb = cv2.cvtColor(photo, cv2.COLOR_BGR2RGB).astype(np.uint8)
        found += [photo_rgb[y : y + height, x : x + width] for x, y, width, height in boxes]
    return found


def resized(faces: list[NDArray[np.uint8]], size: int) -> NDArray[np.uint8]:
    """Return the faces as one batch, shape (N, size, size, 3)."""
    return np.stack([cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA) for face in faces]).astype(
        np.uint8
    )
