"""Asking about cameras: what travels, what is kept, and how long anybody waits."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

import fakeredis
import pytest
from redis.asyncio import Redis

from mien.contracts.camera_requests import (
    CameraReply,
    CameraSearch,
    CameraTestAdvanced,
    CameraTested,
    CameraTestRequested,
    ProfileQuery,
    SearchEnded,
    StreamTest,
)
from mien.contracts.cameras import Camera
from mien.contracts.events import Event, encode_event
from mien.contracts.shared_state import camera_replies_key
from mien.contracts.topics import Topic
from mien.errors import TransientError
from mien.runtime.camera_requests import RequestStore
from mien.runtime.event_loop import Received
from mien.runtime.secrets import SecretBox, UndecipherableError, new_key, open_box
from services.gateway.camera_questions import CameraQuestions
from services.gateway.people import NotFoundError
from services.gateway.publisher import Publisher
from tests.unit.gateway.conftest import Gateway

PASSWORD = "hunter2"
BOX = SecretBox([new_key()])
TEST = StreamTest(
    camera=Camera(camera_id="c", name="C", url="rtsp://h/x", partition=0, username="admin", password=PASSWORD)
)


@dataclass
class Published:
    """A publisher that remembers what it was given."""

    events: list[Event] = field(default_factory=list)

    async def publish(self, topic: Topic, event: Event, *, partition: int) -> None:
        """Take an event."""
        assert 0 <= partition < 4
        self.events.append(event)


@pytest.fixture
async def redis() -> AsyncIterator[Redis]:
    """A Redis in memory."""
    async with fakeredis.FakeAsyncRedis() as redis:
        yield redis


def questions(redis: Redis, published: Published | None = None) -> CameraQuestions:
    """Return questions that are published nowhere."""
    return CameraQuestions(RequestStore(redis, BOX), cast(Publisher, published or Published()), partitions=4)


def replied(kind: Any, request_id: str, number: int, **fields: Any) -> Received[CameraReply]:
    """Return an answer as it comes from Kafka."""
    event = kind(
        camera_id="",
        event_id=f"e-{number}",
        captured_at_ns=time.time_ns(),
        request_id=request_id,
        **fields,
    )
    return Received(event, 0, number)


async def test_password_is_in_redis_for_whoever_answers_and_not_on_kafka(redis: Redis) -> None:
    """The event holds an identifier; what it stands for is read once."""
    published = Published()
    request_id = await questions(redis, published).ask(TEST)
    (event,) = published.events
    assert isinstance(event, CameraTestRequested)
    assert event.request_id == request_id
    assert PASSWORD.encode() not in encode_event(event)
    (key,) = await redis.keys("mien:camera-request:*")
    assert PASSWORD.encode() not in await redis.get(key)
    store = RequestStore(redis, BOX)
    assert await store.take(request_id) == TEST
    assert await store.take(request_id) is None


async def test_requests_never_show_their_password() -> None:
    """Not in logs, wherever one is printed."""
    assert PASSWORD not in repr(TEST)
    assert PASSWORD not in repr(ProfileQuery(address="h", username="u", password=PASSWORD))


async def test_request_of_another_key_is_not_read(redis: Redis) -> None:
    """A replica with other keys says so, and does not answer."""
    request_id = await questions(redis).ask(TEST)
    with pytest.raises(UndecipherableError):
        await RequestStore(redis, SecretBox([new_key()])).take(request_id)


async def test_what_was_asked_expires(redis: Redis) -> None:
    """Question and answers are gone after minutes, whoever forgets them."""
    request_id = await questions(redis).ask(TEST)
    assert all([0 < await redis.ttl(key) <= 300 for key in await redis.keys()])
    assert await redis.exists(camera_replies_key(request_id))


async def test_answers_come_in_order_and_once(redis: Redis) -> None:
    """A repetition by Kafka is no second answer; what was seen is not told again."""
    asked = questions(redis)
    request_id = await asked.ask(TEST)
    step = replied(CameraTestAdvanced, request_id, 1, step="connecting")
    await asked.note([step, step])
    first = await asked.answers(request_id, seen=0, wait_seconds=0)
    assert [type(reply) for reply in first.new] == [CameraTestAdvanced]
    assert not first.ended
    tested = {"ok": True, "explanation": "streams", "snapshot_jpeg": b"jpeg"}
    await asked.note([replied(CameraTested, request_id, 2, **tested)])
    second = await asked.answers(request_id, seen=1, wait_seconds=0)
    assert [type(reply) for reply in second.new] == [CameraTested]
    assert second.ended
    assert await asked.snapshot(request_id) == b"jpeg"


async def test_answer_to_nobody_is_let_go(redis: Redis) -> None:
    """Whoever asked has gone long ago."""
    await questions(redis).note([replied(SearchEnded, "unknown", 1, found=0, searched=[])])
    assert await redis.keys() == []


async def test_unknown_question_is_told_from_one_without_an_answer_yet(redis: Redis) -> None:
    """The one is an error, the other is waited for."""
    asked = questions(redis)
    request_id = await asked.ask(CameraSearch())
    answers = await asked.answers(request_id, seen=0, wait_seconds=0)
    assert (answers.new, answers.ended, answers.failure) == ([], False, "")
    with pytest.raises(NotFoundError):
        await asked.answers("unknown", seen=0, wait_seconds=0)
    with pytest.raises(NotFoundError):
        await asked.snapshot(request_id)


@pytest.mark.parametrize(
    ("taken_up", "age_seconds", "words"), [(False, 20, "no ingest service"), (True, 70, "in time")]
)
async def test_nobody_waits_for_ever(redis: Redis, taken_up: bool, age_seconds: float, words: str) -> None:
    """Where nobody takes requests up, or dies over one, it is said so."""
    asked = questions(redis)
    request_id = await asked.ask(CameraSearch())
    if taken_up:
        await RequestStore(redis, BOX).take(request_id)
    asked_at_ns = time.time_ns() - round(age_seconds * 1e9)
    await redis.lset(camera_replies_key(request_id), 0, str(asked_at_ns))
    answers = await asked.answers(request_id, seen=0, wait_seconds=5)
    assert answers.ended
    assert words in answers.failure


async def test_redis_away_is_tried_again(redis: Redis) -> None:
    """Answers wait in Kafka meanwhile."""
    nowhere = Redis.from_url("redis://127.0.0.1:1/0")
    with pytest.raises(TransientError):
        await questions(nowhere).note([replied(SearchEnded, "r", 1, found=0, searched=[])])
    await nowhere.aclose()


async def test_question_without_a_broker_is_refused_in_words(gateway_with_redis: Gateway) -> None:
    """Nobody waits for an answer that can't come; an address that is none is not even asked about."""
    client = gateway_with_redis.client
    answer = await client.post("/api/camera-requests/search", json={})
    assert answer.status_code == 503
    assert "Kafka" in answer.json()["detail"]
    answer = await client.post("/api/camera-requests/test", json={"url": "gopher://h/x"})
    assert answer.status_code == 422
    assert (await client.get("/api/camera-requests/unknown")).status_code == 404


async def test_stored_password_is_used_at_its_own_host_only(gateway_with_redis: Gateway) -> None:
    """A test of another address must not carry a camera's password there."""
    client, redis = gateway_with_redis.client, gateway_with_redis.context.redis
    store = RequestStore(redis, open_box(gateway_with_redis.context.settings.secrets))
    camera = {"camera_id": "door", "name": "Door", "url": "rtsp://10.0.0.2/a", "username": "admin"}
    answer = await client.post("/api/cameras", json=camera | {"password": PASSWORD})
    assert answer.status_code == 201, answer.text
    seen = {}
    for url in ("rtsp://10.0.0.2/b", "rtsp://10.0.0.66/b"):
        await client.post("/api/camera-requests/test", json={"url": url, "camera_id": "door"})
        (key,) = await redis.keys("mien:camera-request:*")
        request = await store.take(key.decode().rpartition(":")[2])
        assert isinstance(request, StreamTest)
        seen[url] = request.camera.password
    assert seen == {"rtsp://10.0.0.2/b": PASSWORD, "rtsp://10.0.0.66/b": None}
