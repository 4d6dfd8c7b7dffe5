"""Asks the model server how far eyes and mouths are open."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.contracts.events import FaceShot
from mien.contracts.models import EYELIDS, FACE_LANDMARKS, IMAGES, POINTS
from mien.runtime.serving import ServingClient
from mien.runtime.shots import align_shots
from mien.vision.eyes import cut_eyes, eye_openness, mouth_openness
from mien.vision.jpeg import decode_jpeg_rgb


@dataclass(frozen=True)
class Openness:
    """How far the faces of a batch are open; both float32, shape (N,).

    Attributes:
        eyes: Mean of each face's two eyes.
        eyelids_version: Version of the network that judged them.
    """

    eyes: NDArray[np.float32]
    mouths: NDArray[np.float32]
    eyelids_version: int


async def measure_openness(
    serving: ServingClient, shots: Sequence[FaceShot], *, timeout_seconds: float
) -> Openness:
    """Measure the faces of some shots, at least one.

    Raises:
        TransientError: The model server is away or too slow.
        PermanentError: A crop does not decode.
    """
    eyes, faces = await asyncio.to_thread(_cut, shots)
    lids, landmarks = await asyncio.gather(
        serving.predict(EYELIDS.name, {IMAGES: eyes}, timeout_seconds=timeout_seconds),
        serving.predict(FACE_LANDMARKS.name, {IMAGES: faces}, timeout_seconds=timeout_seconds),
    )
    return Openness(
        eye_openness(lids.outputs[POINTS]).reshape(-1, 2).mean(axis=1),
        mouth_openness(landmarks.outputs[POINTS]),
        lids.version,
    )


def _cut(shots: Sequence[FaceShot]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the eyes, two of each face, and the faces, as the networks want them."""
    eyes = [
        cut_eyes(decode_jpeg_rgb(shot.crop_jpeg), np.array(shot.landmarks_xy, dtype=np.float32), EYELIDS.size)
        for shot in shots
    ]
    return np.concatenate(eyes), align_shots(shots, alignment="square15", size=FACE_LANDMARKS.size)
