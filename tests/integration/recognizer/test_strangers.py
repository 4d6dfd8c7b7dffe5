"""Two recognizers and a gateway agree on who is who, within a second and over a restart."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray
from redis.asyncio import Redis

from mien.contracts.events import IdentityDecided, decode_event
from mien.contracts.models import EMBEDDINGS, FACE_EMBEDDER
from mien.contracts.recognition import RULES_KEY, StrangersJoined, strangers_key
from mien.contracts.shared_state import Template, gallery_key
from mien.contracts.topics import IDENTITIES
from mien.runtime.event_loop import Received
from mien.runtime.gallery import TemplateStore
from mien.runtime.rules import RuleStore
from mien.runtime.service import Service
from mien.runtime.serving import Prediction
from mien.vision.jpeg import encode_jpeg_rgb
from services.recognizer.config import RecognizerSettings
from services.recognizer.main import Recognizer
from tests.fakes import FakeProducer
from tests.samples import face_shot

RED, BLUE = (
    encode_jpeg_rgb(np.full((200, 200, 3), colour, dtype=np.uint8))
    for colour in ((220, 20, 20), (20, 20, 220))
)


class ColourEmbedder:
    """A model server whose embedding of a face is its mean colour."""

    async def predict(self, model: str, inputs: dict[str, NDArray[np.uint8]], **_: object) -> Prediction:
        images = inputs["images"]
        vectors = np.zeros((len(images), FACE_EMBEDDER.dimensions), dtype=np.float32)
        vectors[:, :3] = images.reshape(len(images), -1, 3).mean(axis=1)
        return Prediction(
            outputs={EMBEDDINGS: vectors / np.linalg.norm(vectors, axis=1, keepdims=True)}, version=1
        )


@dataclass
class Replica:
    """A recognizer that follows Redis, and what it said."""

    recognizer: Recognizer
    producer: FakeProducer
    service: Service
    following: "asyncio.Task[None]"

    async def see(self, track_id: str, picture: bytes, *, shots: int = 2, first: int = 1) -> IdentityDecided:
        """Work on shots of a track; returns what was said last of it."""
        for number in range(first, first + shots):
            shot = face_shot(track_id=track_id, shot_number=number, crop_jpeg=picture)
            await self.recognizer.handle([Received(shot, 0, 0)])
        # Other tracks may be worked on at the same time.
        sent = (
            decode_event(one[1], IdentityDecided) for one in reversed(self.producer.sent[IDENTITIES.name])
        )
        decided: IdentityDecided = next(event for event in sent if event.track_id == track_id)
        return decided

    async def stop(self) -> None:
        self.service.stop.set()
        await self.following


async def start(redis_url: str) -> Replica:
    redis = Redis.from_url(redis_url, protocol=2)
    producer, service = FakeProducer(), Service("recognizer")
    recognizer = Recognizer(
        RecognizerSettings(),
        redis=redis,
        serving=ColourEmbedder(),  # type: ignore[arg-type]
        producer=producer,
    )
    return Replica(recognizer, producer, service, asyncio.create_task(recognizer.follow_knowledge(service)))


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of a Redis in which nobody is enrolled and no stranger remembered."""
    async with Redis.from_url(redis_url, protocol=2) as redis:
        for key in (gallery_key(FACE_EMBEDDER.name), strangers_key(FACE_EMBEDDER.name), RULES_KEY):
            await redis.delete(key, f"{key}:generation", f"{key}:changed")
        yield redis


async def until_answer(answer: str, *replicas: Replica) -> None:
    """Show a red face again and again, as somebody new each time, until every replica answers so."""
    async with asyncio.timeout(10):
        for replica in replicas:
            while (await replica.see(f"t-{uuid4().hex}", RED, shots=1)).answer != answer:
                await asyncio.sleep(0.02)


async def test_replicas_agree_on_a_stranger_that_both_meet_at_once(redis: Redis, redis_url: str) -> None:
    """However the two interleave, one face is one stranger, and another face another."""
    replicas = [await start(redis_url) for _ in range(2)]
    run = uuid4().hex
    seen = await asyncio.gather(
        *(replica.see(f"{run}:{n}", RED) for n, replica in enumerate(replicas * 4)),
        replicas[0].see(f"{run}:blue", BLUE),
    )
    reds, blue = {decided.stranger_id for decided in seen[:-1]}, seen[-1].stranger_id
    assert len(reds) == 1
    assert None not in reds | {blue}
    assert blue not in reds
    assert len(await redis.hgetall(strangers_key(FACE_EMBEDDER.name))) == 9
    for replica in replicas:
        await replica.stop()


async def test_changes_of_people_hold_in_every_running_recognizer_and_after_a_restart(
    redis: Redis, redis_url: str
) -> None:
    """A photo added, set aside, restored and moved, deleted: each replica follows by itself."""
    store, replicas = TemplateStore(redis), [await start(redis_url) for _ in range(2)]
    vector = np.zeros(FACE_EMBEDDER.dimensions, dtype=np.float32)
    vector[:3] = (220, 20, 20)
    template = Template(
        template_id="t", person_id="rosa", photo_id="photo-1", model=FACE_EMBEDDER.name, model_version=1,
        vector=(vector / np.linalg.norm(vector)).astype("<f4").tobytes(),
    )  # fmt: skip
    await store.add(template)
    await until_answer("known", *replicas)
    assert await store.edit_photo("photo-1", set_aside=True) == 1
    await until_answer("unknown", *replicas)
    await store.edit_photo("photo-1", set_aside=False, person_id="ruby")
    await until_answer("known", *replicas)
    for replica in replicas:
        await replica.stop()

    replicas = [await start(redis_url) for _ in range(2)]
    for heir in replicas:
        assert (await heir.see(f"t-{uuid4().hex}", RED)).person_id == "ruby"
    assert await store.remove_person("ruby") == 1
    await until_answer("unknown", *replicas)
    for heir in replicas:
        await heir.stop()


async def test_heir_of_a_track_goes_on_with_its_stranger(redis: Redis, redis_url: str) -> None:
    """A recognizer that dies leaves its strangers, and rules about them, to the next."""
    first = await start(redis_url)
    run = uuid4().hex
    red, blue = await first.see(f"{run}:red", RED), await first.see(f"{run}:blue", BLUE)
    assert red.stranger_id is not None
    assert blue.stranger_id is not None
    await first.stop()
    heir = await start(redis_url)
    assert (await heir.see(f"{run}:red", RED, shots=1, first=3)).stranger_id == red.stranger_id
    await RuleStore(redis).write(
        [StrangersJoined(stranger_id=blue.stranger_id, into_stranger_id=red.stranger_id)]
    )
    await heir.recognizer.refresh()
    assert (await heir.see(f"{run}:blue", BLUE, shots=1, first=3)).stranger_id == red.stranger_id
    await heir.stop()
