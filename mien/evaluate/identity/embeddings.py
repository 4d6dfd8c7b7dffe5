"""Faces of pictures as vectors, by our detector, our alignment and our model server.

What was computed is kept under ``var/identity`` by a checksum of everything it depends on.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.contracts.find_faces import FacesFound
from mien.contracts.models import Embedder, EmbedderSpec
from mien.errors import PermanentError
from mien.local.face_finder import find_faces
from mien.runtime.embedding import FaceEmbedding, fuse
from mien.runtime.serving import ServingClient
from mien.vision.alignment import align_face
from mien.vision.quality import assess_face

REPOSITORY: Final = Path(__file__).parents[3]
CACHE: Final = REPOSITORY / "var" / "identity"
BATCH: Final = 16
CALL_SECONDS: Final = 120.0
_CHUNK: Final = 128
"""Faces aligned and sent at a time: 19 MB of pixels for the largest alignment."""

OnProgress = Callable[[int], None]
"""Told how many more pictures are done."""


class Face(msgspec.Struct, frozen=True):
    """The face of a picture that its label is about, and how good a view of it the picture is (0 to 1)."""

    path: str
    box_xyxy: tuple[float, float, float, float]
    landmarks_xy: tuple[tuple[float, float], ...]
    quality: float


class Vectors:
    """Vectors of pictures by path; a picture without a found face has one of zeros, like nobody's.

    Args:
        faces: The faces that were found.
        values: Shape (N, dimensions), norm 1, one row for each of *faces*.
    """

    def __init__(self, faces: Sequence[Face], values: NDArray[np.float32]) -> None:
        self._rows = {Path(face.path): row for row, face in enumerate(faces)}
        # The last row stands for every picture in which no face was found.
        self._values = np.concatenate([values, np.zeros((1, values.shape[1]), np.float32)])
        self._qualities = np.array([*(face.quality for face in faces), 0.0], np.float32)

    def __contains__(self, path: Path) -> bool:
        """Whether a face was found in a picture."""
        return path in self._rows

    def of(self, paths: Iterable[Path]) -> NDArray[np.float32]:
        """Return the vectors of pictures, shape (N, dimensions)."""
        return np.asarray(self._values[[self._rows.get(path, -1) for path in paths]])

    def of_tracks(self, tracks: Sequence[Sequence[Path]]) -> NDArray[np.float32]:
        """Return each group's mean by quality, shape (N, dimensions), of length up to 1, as recognizers do.

        The product with a template is the mean of the pictures' similarities, as for the shots of a track.
        """
        means = np.zeros((len(tracks), self._values.shape[1]), np.float32)
        for row, paths in enumerate(tracks):
            weights = np.maximum(self._qualities[[self._rows.get(path, -1) for path in paths]], 0.01)
            means[row] = np.average(self.of(paths), axis=0, weights=weights)
        return means


def labelled_faces(
    paths: Sequence[Path], *, min_faces_px: tuple[int, int], on_progress: OnProgress
) -> list[Face]:
    """Find the face nearest to the centre of each picture, where such pictures have the person they name.

    Pictures without a face are left out.

    Raises:
        PermanentError: A picture can't be read.
    """
    code = [
        REPOSITORY / "mien" / "vision" / "quality.py",
        *(REPOSITORY / "services" / "detector").glob("*.py"),
    ]
    key = _digest(
        *min_faces_px,
        *(version(package) for package in ("mtcnn", "opencv-python-headless", "openvino")),
        *(path.read_bytes() for path in sorted(code)),
        *((str(path), path.stat().st_size) for path in paths),
    )
    kept = CACHE / f"faces-{key}.json"
    if kept.exists():
        on_progress(len(paths))
        return msgspec.json.decode(kept.read_bytes(), type=list[Face])
    faces = []
    for answer in find_faces(paths, min_face_px=min_faces_px[0], else_min_face_px=min_faces_px[1]):
        if answer.error:
            raise PermanentError(f"{answer.path}: {answer.error}")
        if face := _central_face(answer):
            faces.append(face)
        on_progress(1)
    CACHE.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(msgspec.json.encode(faces))
    return faces


async def embed_faces(
    faces: Sequence[Face],
    embedder: EmbedderSpec,
    serving: ServingClient,
    *,
    version: int,
    model_sha256: str,
    on_progress: OnProgress,
) -> Vectors:
    """Return the vectors of faces by one model of the model server."""
    key = _digest(model_sha256, "float32", _sample_crop(embedder), faces)
    kept = CACHE / f"{embedder.name}-{key}.npy"
    if kept.exists():
        on_progress(len(faces))
        return Vectors(faces, np.load(kept))
    embedding = FaceEmbedding(
        serving, embedder, version=version, max_batch_size=BATCH, timeout_seconds=CALL_SECONDS
    )
    chunks = [np.empty((0, embedder.dimensions), np.float32)]
    for start in range(0, len(faces), _CHUNK):
        chunk = faces[start : start + _CHUNK]
        chunks.append(await embedding.embed(AlignedPictures(chunk)))
        on_progress(len(chunk))
    CACHE.mkdir(parents=True, exist_ok=True)
    np.save(kept, np.concatenate(chunks))
    return Vectors(faces, np.concatenate(chunks))


def combined(embedder: Embedder, faces: Sequence[Face], by_model: dict[str, Vectors]) -> Vectors:
    """Return the vectors of an embedder from those of its parts, by the names of their models."""
    paths = [Path(face.path) for face in faces]
    return Vectors(faces, fuse(embedder, [by_model[part.model.name].of(paths) for part in embedder.parts]))


@dataclass(frozen=True)
class AlignedPictures:
    """Faces of picture files for a model that says how it wants them."""

    faces: Sequence[Face]

    def __call__(self, *, alignment: str, size: int) -> NDArray[np.uint8]:
        """Return RGB faces, shape (N, size, size, 3)."""
        aligned = np.empty((len(self.faces), size, size, 3), dtype=np.uint8)
        for row, face in enumerate(self.faces):
            box = np.array(face.box_xyxy, dtype=np.float32)
            landmarks = np.array(face.landmarks_xy, dtype=np.float32)
            aligned[row] = align_face(alignment, _read_rgb(face.path), box, landmarks, size)
        return aligned


def _central_face(answer: FacesFound) -> Face | None:
    if not answer.boxes_xyxy or answer.size_wh is None:
        return None
    boxes = np.array(answer.boxes_xyxy, np.float32)
    off_centre = np.linalg.norm(boxes[:, :2] + boxes[:, 2:] - np.array(answer.size_wh), axis=1)
    nearest = int(off_centre.argmin())
    landmarks = np.array(answer.landmarks_xy[nearest], np.float32)
    quality = assess_face(_read_rgb(answer.path), boxes[nearest], landmarks, answer.scores[nearest])
    left, top, right, bottom = answer.boxes_xyxy[nearest]
    points = tuple((x, y) for x, y in answer.landmarks_xy[nearest])
    return Face(answer.path, (left, top, right, bottom), points, quality.score)


def _read_rgb(path: str) -> NDArray[np.uint8]:
    picture = cv2.imread(path, cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise PermanentError(f"{path}: expected a picture")
    return np.asarray(picture, dtype=np.uint8)


def _sample_crop(embedder: EmbedderSpec) -> bytes:
    """Return what the embedder's alignment makes of a picture that never changes."""
    picture = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    box = np.array([50, 40, 150, 170], np.float32)
    landmarks = np.array([[78, 90], [122, 88], [101, 115], [82, 138], [120, 137]], np.float32)
    return align_face(embedder.alignment, picture, box, landmarks, embedder.size).tobytes()


def _digest(*parts: object) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else repr(part).encode())
    return digest.hexdigest()[:16]
