"""Labelled pictures as aligned faces, by the product's own detector; what was found is kept.

Crops of 48×48, as the data sets of expressions have them, are too small for a detector that was made for
photographs: they are enlarged and given a border first. Where no face is found the picture's own framing
stands.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.contracts.find_faces import FacesFound
from mien.contracts.models import EMOTION_CLASSIFIER
from mien.errors import PermanentError
from mien.local.face_finder import find_faces
from mien.vision.alignment import align_face

_REPOSITORY: Final = Path(__file__).parents[2]
RECIPE_FACES: Final = _REPOSITORY / "var" / "emotion"
"""Where the faces of the shipped recipe are kept, for training and for the figures alike."""
_CROP_SIDE: Final = 100
"""Pictures with both sides up to this are crops of a face."""
_ENLARGED_SIDE: Final = 192
_BORDER: Final = 48
_MIN_FACES_PX: Final = (80, 40)
_CHUNK: Final = 256


@dataclass(frozen=True)
class AlignedFaces:
    """Faces of pictures, in their order.

    Attributes:
        images_rgb: uint8 (N, 112, 112, 3) on the emotion models' template.
        found: Whether the detector found a face, bool (N,); the others are whole pictures.
    """

    images_rgb: NDArray[np.uint8]
    found: NDArray[np.bool_]


def align_pictures(paths: Sequence[Path], cache: Path, on_face: Callable[[int, int], None]) -> AlignedFaces:
    """Align the face nearest to the centre of each picture.

    Args:
        cache: Folder that keeps what was aligned, named after all it depends on.
        on_face: Told how many pictures are done, and of how many.

    Raises:
        PermanentError: A picture can't be read.
    """
    kept = cache / f"aligned-{_key(paths)}.npz"
    if kept.exists():
        with np.load(kept) as arrays:
            on_face(len(paths), len(paths))
            return AlignedFaces(arrays["images_rgb"], arrays["found"])
    size = EMOTION_CLASSIFIER.size
    images, found = np.empty((len(paths), size, size, 3), np.uint8), np.zeros(len(paths), np.bool_)
    for row, (image, is_found) in enumerate(_align(paths)):
        images[row], found[row] = image, is_found
        on_face(row + 1, len(paths))
    cache.mkdir(parents=True, exist_ok=True)
    draft = kept.with_suffix(".new")
    with draft.open("wb") as file:
        np.savez(file, images_rgb=images, found=found)
    draft.replace(kept)
    return AlignedFaces(images, found)


def _align(paths: Sequence[Path]) -> Iterator[tuple[NDArray[np.uint8], bool]]:
    # The detector reads files: enlarged pictures lie in a folder for as long as it looks at them.
    for start in range(0, len(paths), _CHUNK):
        chunk = paths[start : start + _CHUNK]
        with tempfile.TemporaryDirectory(prefix="mien-emotion-") as scratch:
            pictures = [_read(path) for path in chunk]
            prepared = [Path(scratch) / f"{row}.png" for row in range(len(chunk))]
            for picture, path in zip(pictures, prepared, strict=True):
                cv2.imwrite(str(path), _enlarged(picture)[..., ::-1])
            answers = find_faces(prepared, min_face_px=_MIN_FACES_PX[0], else_min_face_px=_MIN_FACES_PX[1])
            for picture, answer in zip(pictures, answers, strict=True):
                yield _aligned(picture, answer)


def _aligned(picture: NDArray[np.uint8], answer: FacesFound) -> tuple[NDArray[np.uint8], bool]:
    size = EMOTION_CLASSIFIER.size
    if answer.error:
        raise PermanentError(f"{answer.path}: {answer.error}")
    if not answer.boxes_xyxy or answer.size_wh is None:
        return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.uint8), False
    boxes = np.array(answer.boxes_xyxy, np.float32)
    off_centre = np.linalg.norm(boxes[:, :2] + boxes[:, 2:] - np.array(answer.size_wh), axis=1)
    nearest = int((off_centre / 2 - (boxes[:, 2:] - boxes[:, :2]).max(axis=1)).argmin())
    landmarks = np.array(answer.landmarks_xy[nearest], np.float32)
    return align_face(EMOTION_CLASSIFIER.alignment, _enlarged(picture), boxes[nearest], landmarks, size), True


def _enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a small crop larger and with room around it; any other picture as it is."""
    if max(picture.shape[:2]) > _CROP_SIDE:
        return picture
    large = cv2.resize(picture, (_ENLARGED_SIDE, _ENLARGED_SIDE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(
        cv2.copyMakeBorder(large, _BORDER, _BORDER, _BORDER, _BORDER, cv2.BORDER_REPLICATE), np.uint8
    )


def _read(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise PermanentError(f"{path}: expected a picture that OpenCV reads")
    return np.asarray(picture, np.uint8)


def _key(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256(repr((_ENLARGED_SIDE, _BORDER, _MIN_FACES_PX)).encode())
    for module in sorted((_REPOSITORY / "services" / "detector").glob("mtcnn*.py")):
        digest.update(module.read_bytes())
    digest.update(repr((EMOTION_CLASSIFIER.size, EMOTION_CLASSIFIER.alignment)).encode())
    digest.update(repr([(str(path), path.stat().st_size) for path in paths]).encode())
    return digest.hexdigest()[:16]
