"""A recognizer among fakes, and faces of one colour."""

import cv2
import fakeredis
import numpy as np
from numpy.typing import NDArray

from mien.contracts.events import (
    FaceShot,
    IdentityDecided,
    StrangerEvent,
    StrangerSeen,
    StrangerWithdrawn,
    decode_event,
)
from mien.contracts.models import EMBEDDINGS, SERVED_EMBEDDERS
from mien.contracts.topics import IDENTITIES, STRANGERS
from mien.runtime.event_loop import Received
from mien.runtime.serving import Prediction
from services.recognizer.config import RecognizerSettings
from services.recognizer.main import Recognizer
from tests.fakes import FakeProducer
from tests.samples import face_shot


class BrightnessEmbedder:
    """A model server whose embedding of a face is its mean colour: same picture, same vector."""

    def __init__(self) -> None:
        self.batch_sizes: list[int] = []
        self.models: set[str] = set()
        self.error: Exception | None = None

    async def predict(self, model: str, inputs: dict[str, NDArray[np.uint8]], **_: object) -> Prediction:
        if self.error:
            raise self.error
        images = inputs["images"]
        (spec,) = (spec for spec in SERVED_EMBEDDERS if spec.name == model)
        assert images.shape[1:] == (spec.size, spec.size, 3)
        self.models.add(model)
        self.batch_sizes.append(len(images))
        vectors = np.zeros((len(images), spec.dimensions), dtype=np.float32)
        vectors[:, :3] = images.reshape(len(images), -1, 3).mean(axis=1)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return Prediction(outputs={EMBEDDINGS: vectors}, version=1)


def crop(blue_green_red: tuple[int, int, int]) -> bytes:
    picture = np.full((200, 200, 3), blue_green_red, dtype=np.uint8)
    return bytes(cv2.imencode(".jpg", picture)[1])


RED, ROSY, BLUE = crop((20, 20, 220)), crop((60, 60, 220)), crop((220, 20, 20))


def received(*shots: FaceShot) -> list[Received[FaceShot]]:
    return [Received(shot, partition=3, offset=n) for n, shot in enumerate(shots)]


class Bench:
    """A recognizer among fakes."""

    def __init__(self, server: fakeredis.FakeServer | None = None) -> None:
        self.server = server or fakeredis.FakeServer()
        self.redis = fakeredis.FakeAsyncRedis(server=self.server)
        self.producer, self.serving = FakeProducer(), BrightnessEmbedder()
        self.recognizer = Recognizer(
            RecognizerSettings(max_batch_size=2),
            redis=self.redis,
            serving=self.serving,  # type: ignore[arg-type]
            producer=self.producer,
        )

    def identities(self) -> list[IdentityDecided]:
        return [decode_event(value, IdentityDecided) for _, value in self.producer.sent[IDENTITIES.name]]

    def strangers(self) -> list[StrangerSeen | StrangerWithdrawn]:
        return [decode_event(value, StrangerEvent) for _, value in self.producer.sent[STRANGERS.name]]

    async def visit(self, track_id: str, *pictures: bytes) -> IdentityDecided:
        """Let somebody pass a camera; returns what was said last."""
        for number, picture in enumerate(pictures, start=1):
            shot = face_shot(track_id=track_id, shot_number=number, crop_jpeg=picture)
            await self.recognizer.handle(received(shot))
        return self.identities()[-1]


async def enrol(bench: Bench, person_id: str, picture: bytes) -> None:
    shot = face_shot(
        purpose="enrolment", person_id=person_id, track_id=f"photo-{person_id}", crop_jpeg=picture
    )
    await bench.recognizer.handle(received(shot))
    await bench.recognizer.refresh()
