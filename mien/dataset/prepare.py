"""Photos in, faces out: every photo is either used or set aside with its reason, and none is changed."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.contracts.find_faces import FacesFound
from mien.contracts.models import FACE_EMBEDDER
from mien.dataset.duplicates import earlier_duplicates, fingerprint
from mien.dataset.manifest import (
    MANIFEST,
    Dataset,
    Face,
    Reason,
    aligned_path,
    crop_path,
    write_dataset,
)
from mien.dataset.photos import Photo, list_photos, read_people
from mien.dataset.selection import Limits, SetAside, choose_face, judge_quality
from mien.errors import PermanentError
from mien.local.face_finder import find_faces
from mien.runtime.embedders import find_model
from mien.vision.alignment import align_face
from mien.vision.quality import assess_face
from model_repo import repository

_JPEG_QUALITY = 95
_SMALL_PHOTO_PX = 640


@dataclass(frozen=True)
class PrepareOptions:
    """How photos become faces.

    Attributes:
        embedders: Faces are aligned for each of them.
        min_face_px: Smallest face that is looked for, pixels.
        limits: What a face must have to be used.
        model_repo: Where imported embedders say which alignment they need.
    """

    embedders: Sequence[str] = (FACE_EMBEDDER.name,)
    min_face_px: int = 40
    limits: Limits = field(default_factory=Limits)
    model_repo: Path = repository.ROOT


def prepare(
    photos_folder: Path,
    folder: Path,
    options: PrepareOptions,
    *,
    on_photo: Callable[[int, int], None] = lambda done, total: None,
) -> Dataset:
    """Find the face of every photo and write the data set into a new folder.

    Args:
        photos_folder: See :func:`mien.dataset.photos.list_photos`.
        folder: Must be empty or not exist.
        on_photo: Told how many photos are done, and of how many.

    Raises:
        PermanentError: There are no photos, or the folder holds something already.
        FaceFinderError: The detector ended.
    """
    if folder.exists() and any(folder.iterdir()):
        there = "a data set already" if (folder / MANIFEST).exists() else "files"
        raise PermanentError(f"{folder}: expected an empty folder, it holds {there}; choose another")
    photos = list_photos(photos_folder)
    people = read_people(photos_folder, photos)
    faces: list[Face] = []
    answers = find_faces((photos_folder / photo.path for photo in photos), min_face_px=options.min_face_px)
    for photo, name, found in zip(photos, _unique_names(photos), answers, strict=True):
        faces.append(_examine(photos_folder, photo, name, found, options.limits))
        on_photo(len(faces), len(photos))
    dataset = Dataset(
        photos_folder=str(photos_folder.resolve()),
        people=people,
        aligned_for=list(options.embedders),
        model_repo=str(options.model_repo.resolve()),
        faces=_without_duplicates(faces),
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Whoever interrupts this finds no half data set afterwards.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        draft = Path(scratch) / "draft"
        draft.mkdir()
        for face in dataset.faces:
            write_face(dataset, draft, face)
        write_dataset(dataset, draft)
        draft.rename(folder)
    return dataset


def set_aside(dataset: Dataset, folder: Path, face_ids: Sequence[str]) -> Dataset:
    """Take faces out of use by hand; :func:`restore` brings them back.

    Raises:
        PermanentError: One of them is not among the used faces.
    """
    return _change(dataset, folder, face_ids, used=True, reason="by_hand")


def restore(dataset: Dataset, folder: Path, face_ids: Sequence[str]) -> Dataset:
    """Use faces that were set aside.

    Raises:
        PermanentError: One of them is not among those set aside, shows no face, or its photo is gone.
    """
    return _change(dataset, folder, face_ids, used=False, reason=None)


def write_face(dataset: Dataset, folder: Path, face: Face) -> None:
    """Write the files of a face, cut out of its photo: both crops if it is used, one picture otherwise.

    Raises:
        PermanentError: A used face's photo can't be read any more.
    """
    photo = _read_rgb(Path(dataset.photos_folder) / face.photo)
    if photo is None:
        if face.reason is None:
            raise PermanentError(f"{dataset.photos_folder}/{face.photo}: the photo can't be read any more")
        return
    crop = crop_box(photo, face) if face.box_xyxy else _small(photo)
    _write_rgb(crop_path(folder, face), crop)
    if face.reason is not None:
        return
    box = np.array(face.box_xyxy, np.float32)
    landmarks = np.array(face.landmarks_xy, np.float32)
    for embedder in dataset.aligned_for:
        spec = find_model(embedder, version=1, model_repo=Path(dataset.model_repo or repository.ROOT))
        aligned = align_face(spec.alignment, photo, box, landmarks, spec.size)
        _write_rgb(aligned_path(folder, face, embedder), aligned)


def crop_box(photo_rgb: NDArray[np.uint8], face: Face) -> NDArray[np.uint8]:
    """Cut the box out, whole pixels: ``img[y:y+h, x:x+w]``; what lies outside the photo is left out."""
    height, width = photo_rgb.shape[:2]
    left, top, right, bottom = (round(value) for value in face.box_xyxy or (0, 0, width, height))
    return photo_rgb[max(top, 0) : max(bottom, 1), max(left, 0) : max(right, 1)]


def _examine(folder: Path, photo: Photo, name: str, found: FacesFound, limits: Limits) -> Face:
    row, aside = choose_face(found, limits.if_several)
    face = Face(
        photo=photo.path.as_posix(),
        name=name,
        person=photo.person or "",
        emotion=photo.emotion,
        faces_found=len(found.boxes_xyxy),
    )
    picture = None if row is None else _read_rgb(folder / photo.path)
    if picture is not None and row is not None:
        box, landmarks = found.boxes_xyxy[row], found.landmarks_xy[row]
        quality = assess_face(
            picture, np.array(box, np.float32), np.array(landmarks, np.float32), found.scores[row]
        )
        aside = aside or judge_quality(quality, limits)
        face = msgspec.structs.replace(
            face,
            box_xyxy=box,
            landmarks_xy=landmarks,
            score=round(found.scores[row], 4),
            eye_distance_px=round(quality.size_px, 1),
            sharpness=round(quality.sharpness, 1),
        )
        face = msgspec.structs.replace(face, fingerprint=fingerprint(crop_box(picture, face)))
    if photo.person is None:
        aside = SetAside("unnamed", "expected First_Last-emotion-N, or a folder named after the person")
    if aside:
        face = msgspec.structs.replace(face, reason=aside.reason, explanation=aside.explanation)
    return face


def _without_duplicates(faces: list[Face]) -> list[Face]:
    rows = [row for row, face in enumerate(faces) if face.reason is None]
    result = list(faces)
    for later, first in earlier_duplicates([faces[row].fingerprint for row in rows]).items():
        face, original = faces[rows[later]], faces[rows[first]]
        other = "" if face.person == original.person else ", under another person's name"
        result[rows[later]] = msgspec.structs.replace(
            face, reason="duplicate", explanation=f"the same picture as {original.photo}{other}"
        )
    return result


def _change(
    dataset: Dataset, folder: Path, face_ids: Sequence[str], *, used: bool, reason: Reason | None
) -> Dataset:
    rows = {face.face_id: row for row, face in enumerate(dataset.faces) if (face.reason is None) == used}
    faces = list(dataset.faces)
    for face_id in face_ids:
        if face_id not in rows:
            place = "among the used faces" if used else "among those set aside"
            raise PermanentError(f"{face_id}: expected PERSON/NAME {place}; mien dataset show lists them")
        old = faces[rows[face_id]]
        if not used and (old.box_xyxy is None or not old.person):
            raise PermanentError(f"{face_id} can't be used: {old.explanation}")
        new = msgspec.structs.replace(old, reason=reason, explanation="")
        write_face(dataset, folder, new)
        for path in [
            crop_path(folder, old),
            *(aligned_path(folder, old, name) for name in dataset.aligned_for if used),
        ]:
            path.unlink(missing_ok=True)
        faces[rows[face_id]] = new
    changed = msgspec.structs.replace(dataset, faces=faces)
    write_dataset(changed, folder)
    return changed


def _unique_names(photos: Sequence[Photo]) -> Iterator[str]:
    """Name each photo's files after it; where two of a person would be called the same, add a digest."""
    taken: set[tuple[str | None, str]] = set()
    for photo in photos:
        name = photo.path.stem
        if (photo.person, name) in taken:
            name += "-" + hashlib.blake2b(photo.path.as_posix().encode(), digest_size=4).hexdigest()
        taken.add((photo.person, name))
        yield name


def _read_rgb(path: Path) -> NDArray[np.uint8] | None:
    # As the detector reads it: turned upright as the camera noted.
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB) if path.is_file() and path.stat().st_size else None
    return None if picture is None else np.asarray(picture, dtype=np.uint8)


def _write_rgb(path: Path, picture: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if path.suffix == ".jpg" else []
    if not cv2.imwrite(str(path), bgr, options):
        raise OSError(f"{path}: the picture could not be written")


def _small(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = min(_SMALL_PHOTO_PX / max(photo.shape[:2]), 1.0)
    return np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
