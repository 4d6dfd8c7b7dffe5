"""Events in and out of a real Kafka: history, integrators' events, the enrolment road."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from PIL import Image
from redis.asyncio import Redis

from mien.contracts.events import (
    Event,
    IdentityDecided,
    PhotoSubmitted,
    TemplateCreated,
    TrackEnded,
    TracksObserved,
    TrackStarted,
    decode_event,
)
from mien.contracts.models import FACE_EMBEDDER
from mien.contracts.shared_state import Template, track_key
from mien.contracts.topics import (
    ENROLMENT_RESULTS,
    ENROLMENTS,
    IDENTITIES,
    SIGHTINGS,
    TRACK_EVENTS,
    TRACKS,
    Topic,
)
from mien.runtime.bus import create_topics, open_event_producer, publish
from mien.runtime.gallery import TemplateStore
from mien.runtime.settings import KafkaSettings
from tests.integration.gateway.conftest import PARTITIONS, RunningGateway, eventually, start_gateway
from tests.samples import QUALITY

SECOND_NS = 1_000_000_000


@pytest.fixture
async def kafka(kafka_bootstrap: str) -> KafkaSettings:
    """Settings of a broker that has all topics."""
    settings = KafkaSettings(bootstrap_servers=kafka_bootstrap, partitions=PARTITIONS)
    await create_topics(settings)
    return settings


@pytest.fixture
async def running(kafka: KafkaSettings, redis_url: str, tmp_path: Path) -> AsyncIterator[RunningGateway]:
    """A gateway with everything it needs, ready."""
    async with start_gateway(
        tmp_path, redis_url, kafka=kafka.bootstrap_servers, silent_track_seconds=2.0
    ) as gateway:
        await eventually(lambda: is_ready(gateway))
        yield gateway


async def is_ready(gateway: RunningGateway) -> bool:
    return gateway.service.health.is_ready


async def send(kafka: KafkaSettings, *events: tuple[Topic, Event]) -> None:
    async with open_event_producer(kafka) as producer:
        for topic, event in events:
            await publish(producer, topic, event, partition=0)


async def read_values(kafka: KafkaSettings, topic: Topic, wanted: bytes, count: int) -> list[bytes]:
    """Read the values that contain *wanted*, until there are as many as expected."""
    consumer = AIOKafkaConsumer(
        topic.name, bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    found: list[bytes] = []
    try:
        async with asyncio.timeout(20):
            while len(found) < count:
                record = await consumer.getone()
                if wanted in record.value:
                    found.append(record.value)
    finally:
        await consumer.stop()
    return found


async def sightings_of(gateway: RunningGateway, camera_id: str) -> list[dict[str, object]]:
    answer = await gateway.client.get("/api/sightings", params={"camera_id": camera_id})
    rows: list[dict[str, object]] = answer.json()
    return rows


def track_events(camera_id: str, person_id: str) -> tuple[TrackStarted, IdentityDecided, TrackEnded]:
    track_id, start = f"{camera_id}:1:1", 1_790_000_000 * SECOND_NS
    started = TrackStarted(
        camera_id=camera_id,
        event_id="s",
        captured_at_ns=start,
        track_id=track_id,
        frame_id=f"{camera_id}:1:1",
    )
    decided = IdentityDecided(
        camera_id=camera_id, event_id="i", captured_at_ns=start, track_id=track_id, shot_number=3,
        state="confirmed", answer="known", model=FACE_EMBEDDER.name, model_version=1, gallery_generation=1,
        person_id=person_id, similarity=0.97,
    )  # fmt: skip
    ended = TrackEnded(
        camera_id=camera_id, event_id="e", captured_at_ns=start, track_id=track_id, started_at_ns=start,
        last_seen_at_ns=start + 5 * SECOND_NS, frames_seen=25,
    )  # fmt: skip
    return started, decided, ended


async def test_track_becomes_history_and_a_cloud_event_once(
    running: RunningGateway, kafka: KafkaSettings
) -> None:
    """Whatever comes first and however often, there is one row, and every event about it has one id."""
    camera_id = await running.add_camera()
    person = (await running.client.post("/api/people", json={"name": "Ada"})).json()
    started, decided, ended = track_events(camera_id, person["person_id"])

    async def is_known() -> bool:
        rows = await sightings_of(running, camera_id)
        return [row["person_name"] for row in rows] == ["Ada"]

    await send(kafka, (TRACK_EVENTS, started), (TRACK_EVENTS, ended))
    await eventually(lambda: has_rows(running, camera_id, 1))
    await send(kafka, (IDENTITIES, decided))  # late: the row is amended
    await eventually(is_known)
    await send(kafka, (TRACK_EVENTS, ended), (IDENTITIES, decided))
    values = await read_values(kafka, SIGHTINGS, camera_id.encode(), 3)
    events = [json.loads(value) for value in values]
    assert [event["data"]["person_name"] for event in events] == [None, "Ada", "Ada"]
    assert events[0]["id"] != events[1]["id"] == events[2]["id"]
    assert events[2]["data"]["started_at"] == "2026-09-21T14:13:20Z"
    [row] = await sightings_of(running, camera_id)
    assert (row["answer"], row["similarity"], row["emotions"]) == ("known", 0.97, None)
    assert (await running.client.delete(f"/api/people/{person['person_id']}")).status_code == 204
    [row] = await sightings_of(running, camera_id)
    assert (row["person_id"], row["person_name"]) == (None, "deleted person")


async def has_rows(gateway: RunningGateway, camera_id: str, count: int) -> bool:
    return len(await sightings_of(gateway, camera_id)) == count


async def test_track_of_a_dead_detector_is_closed(
    running: RunningGateway, kafka: KafkaSettings, redis: Redis
) -> None:
    """A track that is no longer seen, and never said that it ended, becomes history all the same."""
    camera_id = await running.add_camera()
    started, _, _ = track_events(camera_id, "nobody")
    seen = TracksObserved(
        camera_id=camera_id, event_id="o", captured_at_ns=started.captured_at_ns + 3 * SECOND_NS,
        frame_id=f"{camera_id}:1:2", size_wh=(640, 360), boxes_xyxy=[(0.0, 0.0, 9.0, 9.0)],
        track_ids=[started.track_id], scores=[0.9],
    )  # fmt: skip
    await send(kafka, (TRACK_EVENTS, started))

    async def is_seen() -> bool:
        await send(kafka, (TRACKS, seen))  # droppable: heard once the gateway has joined the topic's group
        return bool(await redis.hexists(track_key(started.track_id), "seen_at_ns"))

    await eventually(is_seen)
    await eventually(lambda: has_rows(running, camera_id, 1))
    [row] = await sightings_of(running, camera_id)
    assert (row["answer"], row["ended_at"]) == ("unclear", "2026-09-21T14:13:23Z")


async def test_photo_travels_the_enrolment_road(
    running: RunningGateway, kafka: KafkaSettings, redis: Redis
) -> None:
    """An upload reaches the topic, its answer the page; deleting the person deletes the template."""
    person_id = (await running.client.post("/api/people", json={"name": "Ada"})).json()["person_id"]
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(picture, "PNG")
    uploaded = await running.client.post(
        f"/api/people/{person_id}/photos", files=[("photos", ("a.png", picture.getvalue()))]
    )
    photo_id = uploaded.json()[0]["photo_id"]
    [value] = await read_values(kafka, ENROLMENTS, photo_id.encode(), 1)
    submitted = decode_event(value, PhotoSubmitted)
    assert (submitted.person_id, submitted.photo_jpeg[:2]) == (person_id, b"\xff\xd8")
    created = TemplateCreated(
        camera_id="", event_id="t", captured_at_ns=0, photo_id=photo_id, person_id=person_id,
        template_id=f"t-{uuid4().hex}", model=FACE_EMBEDDER.name, model_version=1, quality=QUALITY,
        face_jpeg=submitted.photo_jpeg,
    )  # fmt: skip
    store = TemplateStore(redis)
    template = Template(
        template_id=created.template_id, person_id=person_id, photo_id=photo_id, model=FACE_EMBEDDER.name,
        model_version=1, vector=b"\0" * 512,
    )  # fmt: skip
    await store.add(template)
    await send(kafka, (ENROLMENT_RESULTS, created))

    async def is_enrolled() -> bool:
        photos = (await running.client.get(f"/api/people/{person_id}/photos")).json()
        return [photo["status"] for photo in photos] == ["enrolled"]

    await eventually(is_enrolled)
    await running.client.delete(f"/api/people/{person_id}")
    assert template not in await store.load(FACE_EMBEDDER.name)

    await store.add(template)  # a recognizer that was slower than the deletion
    await send(kafka, (ENROLMENT_RESULTS, created))

    async def is_forgotten() -> bool:
        return template not in await store.load(FACE_EMBEDDER.name)

    await eventually(is_forgotten)


async def test_photos_of_before_a_restart_are_sent(
    kafka: KafkaSettings, redis_url: str, tmp_path: Path
) -> None:
    """A photo taken while Kafka was away goes off when the next gateway finds it there."""
    async with start_gateway(tmp_path, redis_url) as gateway:
        person_id = (await gateway.client.post("/api/people", json={"name": "Ada"})).json()["person_id"]
        picture = io.BytesIO()
        Image.new("RGB", (8, 8)).save(picture, "PNG")
        uploaded = await gateway.client.post(
            f"/api/people/{person_id}/photos", files=[("photos", ("a.png", picture.getvalue()))]
        )
        assert uploaded.json()[0]["status"] == "pending"
    async with start_gateway(tmp_path, redis_url, kafka=kafka.bootstrap_servers):
        values = await read_values(kafka, ENROLMENTS, uploaded.json()[0]["photo_id"].encode(), 1)
    assert len(values) == 1
