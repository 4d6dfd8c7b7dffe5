"""Faces and data sets for tests, made of nothing."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.contracts.find_faces import FacesFound
from mien.dataset.duplicates import fingerprint
from mien.dataset.manifest import Dataset, Face
from mien.dataset.photos import Person


@cache
def _fingerprint(seed: int) -> str:
    return fingerprint(picture(seed, side=32))


def picture(seed: int, side: int = 160) -> NDArray[np.uint8]:
    """Return a picture that resembles no other, RGB, sharp enough to count as a photo."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 255, (8, 8, 3), dtype=np.uint8)
    smooth = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(smooth + generator.normal(0, 12, smooth.shape), 0, 255), dtype=np.uint8)


def found(path: str = "", *, faces: int = 1, size_wh: tuple[int, int] = (160, 160)) -> FacesFound:
    """Return what the detector says of a picture with faces of one size side by side."""
    width, height = size_wh
    each = width / max(faces, 1)
    boxes = [(each * (n + 0.1), height * 0.1, each * (n + 0.9), height * 0.9) for n in range(faces)]
    return FacesFound(
        path=path,
        size_wh=size_wh,
        boxes_xyxy=boxes,
        scores=[0.99] * faces,
        landmarks_xy=[
            [
                (left + 0.3 * (right - left), top + 0.4 * (bottom - top)),
                (left + 0.7 * (right - left), top + 0.4 * (bottom - top)),
                (left + 0.5 * (right - left), top + 0.6 * (bottom - top)),
                (left + 0.35 * (right - left), top + 0.8 * (bottom - top)),
                (left + 0.65 * (right - left), top + 0.8 * (bottom - top)),
            ]
            for left, top, right, bottom in boxes
        ],
    )


def dataset(photos_per_person: dict[str, int], *, emotions: tuple[str, ...] = ("happy", "sad")) -> Dataset:
    """Return a data set of people with so many photos each, all different."""
    faces = [
        Face(
            photo=f"{person}/{n}.jpg",
            name=f"{n}",
            person=person,
            emotion=emotions[n % len(emotions)],
            fingerprint=_fingerprint(1000 * row + n),
            box_xyxy=(0, 0, 10, 10),
        )
        for row, (person, count) in enumerate(photos_per_person.items())
        for n in range(count)
    ]
    people = {person: Person(name=person.title()) for person in photos_per_person}
    return Dataset(photos_folder="/photos", people=people, aligned_for=["face_embedder"], faces=faces)
