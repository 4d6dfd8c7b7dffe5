"""Guided enrolment: consent first, advice on live pictures, labelled photos, and all of it deleted."""

import asyncio
import io
from typing import Any

import msgspec
import pytest
from PIL import Image
from sqlalchemy import select

from mien.contracts.events import Event, FaceCheckRequested
from mien.contracts.models import FACE_EMBEDDER
from mien.contracts.shared_state import FaceChecked, Template, face_check_key
from mien.contracts.topics import FACE_CHECKS, Topic
from services.gateway.tables import AuditEntry, Photo
from tests.unit.gateway.conftest import Gateway

CONSENT = "I, Ada, agree that pictures of my face are kept."
URL = "/api/enrolment-sessions"


def jpeg(width: int = 320, height: int = 240) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "grey").save(file, "JPEG")
    return file.getvalue()


async def begin(gateway: Gateway, **changes: Any) -> Any:
    body = {"name": "Ada", "consent_text": CONSENT, "consented_by": "Ada", "has_agreed": True} | changes
    return await gateway.client.post(
        URL, json={key: value for key, value in body.items() if value is not None}
    )


@pytest.fixture
async def session(gateway_with_redis: Gateway) -> dict[str, Any]:
    """A guided enrolment of somebody new."""
    answer = await begin(gateway_with_redis)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.fixture
async def detector(gateway_with_redis: Gateway, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """A detector that finds the same good face in every picture; returns what it was asked."""
    asked: list[bytes] = []
    redis = gateway_with_redis.context.redis

    async def publish(topic: Topic, event: Event, *, partition: int) -> None:
        assert topic is FACE_CHECKS
        assert isinstance(event, FaceCheckRequested)
        asked.append(event.photo_jpeg)
        checked = FaceChecked(
            request_id=event.request_id, size_wh=(320, 240), faces=1, box_xyxy=(100.0, 60.0, 220.0, 180.0),
            face_px=120.0, score=0.87, sharpness=100.0, yaw=0.3, pitch=0.0, brightness=120.0,
        )  # fmt: skip
        await redis.rpush(face_check_key(event.request_id), msgspec.msgpack.encode(checked))

    monkeypatch.setattr(gateway_with_redis.context.publisher, "publish", publish)
    return asked


async def check(gateway: Gateway, session: dict[str, Any], picture: bytes, **query: str) -> Any:
    return await gateway.client.post(f"{URL}/{session['session_id']}/checks", content=picture, params=query)


async def keep(gateway: Gateway, session: dict[str, Any], picture: bytes, **query: str) -> Any:
    return await gateway.client.post(f"{URL}/{session['session_id']}/photos", content=picture, params=query)


async def test_consent_is_stored_with_who_when_and_what(
    gateway_with_redis: Gateway, session: dict[str, Any]
) -> None:
    """Word for word, with who was signed in; the person's page says so, too."""
    client = gateway_with_redis.client
    [stored] = (await client.get(URL, params={"person_id": session["person_id"]})).json()
    assert (stored["consent_text"], stored["consented_by"]) == (CONSENT, "Ada")
    assert stored["recorded_by"]
    assert stored["consented_at"]
    person = (await client.get(f"/api/people/{session['person_id']}")).json()
    assert "Ada agreed at the webcam" in person["consent_note"]


@pytest.mark.parametrize(
    "changes",
    [
        {"has_agreed": False},
        {"has_agreed": None},
        {"consent_text": "yes"},
        {"consented_by": ""},
        {"name": None},
        {"person_id": "nobody", "name": None},
    ],
)
async def test_without_consent_nothing_begins(changes: dict[str, Any], gateway_with_redis: Gateway) -> None:
    """Nobody is added, either."""
    assert (await begin(gateway_with_redis, **changes)).status_code in (404, 422)
    assert (await gateway_with_redis.client.get("/api/people")).json() == []


async def test_a_live_picture_is_judged_and_not_stored(
    gateway_with_redis: Gateway, session: dict[str, Any], detector: list[bytes]
) -> None:
    """The answer says what to do next in words; no photo comes of it."""
    answer = await check(gateway_with_redis, session, jpeg(), pose="left")
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["is_good"], said["quality"], said["yaw"]) == (True, 0.87, 0.3)
    assert detector == [jpeg()]
    assert (await gateway_with_redis.client.get(f"/api/people/{session['person_id']}/photos")).json() == []
    assert await gateway_with_redis.context.redis.keys("mien:face-check:*") == []


async def test_pictures_are_judged_at_a_pace(
    gateway_with_redis: Gateway, session: dict[str, Any], detector: list[bytes]
) -> None:
    """What comes sooner is refused in words, and no detector is asked."""
    answers = await asyncio.gather(*(check(gateway_with_redis, session, jpeg()) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 429, 429, 429, 429]
    assert "at most 8 pictures a second" in next(a for a in answers if a.status_code == 429).json()["detail"]
    assert len(detector) == 1


@pytest.mark.parametrize(
    ("picture", "code", "words"),
    [
        (b"no picture", 422, "expected a JPEG"),
        (b"", 422, "expected a JPEG"),
        (jpeg(2000, 100), 422, "at most 1280 pixels, got 2000"),
        (b"\xff\xd8" + b"\0" * 300_000, 413, "at most 300000 bytes"),
    ],
)
async def test_what_is_no_picture_is_refused_in_words(
    picture: bytes,
    code: int,
    words: str,
    gateway_with_redis: Gateway,
    session: dict[str, Any],
    detector: list[bytes],
) -> None:
    """No detector is asked."""
    answer = await check(gateway_with_redis, session, picture)
    assert (answer.status_code, words in answer.json()["detail"]) == (code, True)
    assert detector == []


async def test_detector_away_is_said_so(gateway_with_redis: Gateway, session: dict[str, Any]) -> None:
    """The broker is not there at all: 503, and the page goes on asking."""
    assert (await check(gateway_with_redis, session, jpeg())).status_code == 503


async def test_kept_pictures_say_what_they_show(gateway_with_redis: Gateway, session: dict[str, Any]) -> None:
    """Poses and expressions that are there are not asked for again."""
    for query in ({"pose": "front"}, {"pose": "left"}, {"emotion": "happy"}):
        answer = await keep(gateway_with_redis, session, jpeg(), **query)
        assert answer.status_code == 202, answer.text
    info = (await gateway_with_redis.client.get(f"{URL}/{session['session_id']}")).json()
    assert (info["poses"], info["emotions"], info["photo_count"]) == (["front", "left"], ["happy"], 3)


@pytest.mark.parametrize("query", [{}, {"pose": "front", "emotion": "happy"}, {"pose": "upside-down"}])
async def test_a_kept_picture_shows_one_thing(
    query: dict[str, str], gateway_with_redis: Gateway, session: dict[str, Any]
) -> None:
    """Either a pose or an expression, out of those there are."""
    assert (await keep(gateway_with_redis, session, jpeg(), **query)).status_code == 422


async def test_everything_of_a_session_is_deleted(
    gateway_with_redis: Gateway, session: dict[str, Any]
) -> None:
    """Photos, templates, consent, and the person who was added for it; what was kept later is refused."""
    photo = (await keep(gateway_with_redis, session, jpeg(), pose="front")).json()
    template = Template(
        template_id="t", person_id=session["person_id"], photo_id=photo["photo_id"],
        model=FACE_EMBEDDER.name, model_version=1, vector=b"\0" * 512,
    )  # fmt: skip
    templates = gateway_with_redis.context.templates
    await templates.add(template)
    client = gateway_with_redis.client
    assert (await client.delete(f"{URL}/{session['session_id']}")).status_code == 204
    assert await templates.load(FACE_EMBEDDER.name) == []
    assert (await client.get("/api/people")).json() == []
    assert (await keep(gateway_with_redis, session, jpeg(), pose="left")).status_code == 404


async def test_deleting_a_session_leaves_what_was_there_before(gateway_with_redis: Gateway) -> None:
    """Somebody who was known before keeps their other photos."""
    client = gateway_with_redis.client
    ada = (await client.post("/api/people", json={"name": "Ada"})).json()["person_id"]
    old = Photo(photo_id="old", person_id=ada, filename="a.jpg", status="enrolled")
    await gateway_with_redis.context.database.run(lambda sql: sql.add(old))
    session = (await begin(gateway_with_redis, person_id=ada, name=None)).json()
    await keep(gateway_with_redis, session, jpeg(), pose="front")
    assert (await client.delete(f"{URL}/{session['session_id']}")).status_code == 204
    assert [photo["photo_id"] for photo in (await client.get(f"/api/people/{ada}/photos")).json()] == ["old"]


async def test_exported_expressions_are_written_down(
    gateway_with_redis: Gateway, session: dict[str, Any]
) -> None:
    """Only photos whose expression is known, people as numbers, and an entry in the audit."""
    await keep(gateway_with_redis, session, jpeg(), emotion="sad")
    await keep(gateway_with_redis, session, jpeg(), pose="front")
    [photo] = (await gateway_with_redis.client.post("/api/people/emotion-exports")).json()
    assert (photo["label"], photo["person_id"]) == ("sad", session["person_id"])
    assert (await gateway_with_redis.client.get(photo["image_url"])).content[:2] == b"\xff\xd8"
    actions = await gateway_with_redis.context.database.run(
        lambda sql: list(sql.scalars(select(AuditEntry.action)))
    )
    assert "emotions.exported" in actions
