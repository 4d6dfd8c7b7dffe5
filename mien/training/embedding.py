"""Faces as an embedder of the model repository sees them, on the engine that serves it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import EMBEDDINGS, IMAGES, EmbedderSpec
from mien.dataset.augment import views
from mien.errors import PermanentError
from mien.runtime.quiet_openvino import openvino

_FACES_IN_A_CHUNK = 16


class Embedder:
    """One version of an embedder, loaded from the model repository.

    Raises:
        PermanentError: That version is not built.
    """

    def __init__(self, spec: EmbedderSpec, version_folder: Path) -> None:
        if not (version_folder / "saved_model.pb").is_file():
            raise PermanentError(f"{version_folder}: {spec.name} is not there; run: mien models build")
        self._model = openvino.Core().compile_model(str(version_folder), "CPU")

    def embed(self, images_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed aligned faces, RGB (N, size, size, 3), as unit vectors (N, dimensions); N at least 1."""
        return np.array(self._model({IMAGES: images_rgb})[EMBEDDINGS], dtype=np.float32)


def embed_views(
    paths: Sequence[Path],
    embedder: Embedder,
    *,
    copies: int,
    seed: int,
    cache: Path,
    on_face: Callable[[int, int], None],
) -> NDArray[np.float32]:
    """Embed aligned faces and new views of them; what is done is kept, and a later run goes on from there.

    Args:
        paths: Picture files on the embedder's template.
        copies: New views of each face beside the face itself; the same seed gives the same ones.
        cache: Folder that only this call, with these arguments, writes to.
        on_face: Told how many faces are done, and of how many.

    Returns:
        Unit vectors, float32, shape (faces, copies + 1, dimensions); the face itself comes first.

    Raises:
        PermanentError: A picture can't be read.
    """
    cache.mkdir(parents=True, exist_ok=True)
    chunks: list[NDArray[np.float32]] = []
    for start in range(0, len(paths), _FACES_IN_A_CHUNK):
        kept = cache / f"{start:06}.npy"
        if not kept.is_file():
            rows = range(start, min(start + _FACES_IN_A_CHUNK, len(paths)))
            vectors = np.stack(
                [embedder.embed(_views(paths[row], copies=copies, seed=(seed, row))) for row in rows]
            )
            draft = kept.with_suffix(".new")
            with draft.open("wb") as file:
                np.save(file, vectors)
            draft.replace(kept)
        chunks.append(np.load(kept))
        on_face(min(start + _FACES_IN_A_CHUNK, len(paths)), len(paths))
    return np.concatenate(chunks)


def _views(path: Path, *, copies: int, seed: tuple[int, int]) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise PermanentError(f"{path}: the aligned face can't be read; prepare the data set again")
    return np.stack(views(np.asarray(picture, np.uint8), copies=copies, seed=seed))
