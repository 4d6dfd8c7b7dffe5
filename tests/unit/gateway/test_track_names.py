"""A followed face is named by a click: its best views are enrolled, and everybody hears of it."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from mien.contracts.cameras import Camera
from mien.contracts.events import Event, IdentityDecided
from mien.contracts.recognition import track_vector_key
from mien.contracts.shared_state import TrackShot, track_shots_key
from mien.contracts.topics import IDENTITIES, Topic
from services.gateway.merge import TrackStore
from services.gateway.tables import Sighting, utc_now
from tests.unit.gateway.conftest import Gateway

TRACK = "door:1:4"


@dataclass
class Broker:
    """Hands identities to the merge, as the gateway's own consumer does."""

    tracks: TrackStore
    sent: list[IdentityDecided] = field(default_factory=list)

    async def publish(self, topic: Topic, event: Event, *, partition: int) -> None:
        if topic is IDENTITIES and isinstance(event, IdentityDecided):
            self.sent.append(event)
            await self.tracks.merge([event])


@pytest.fixture
async def broker(gateway_with_redis: Gateway, monkeypatch: pytest.MonkeyPatch) -> Broker:
    """A gateway with a door, whose identities are merged as they are published."""
    context = gateway_with_redis.context
    await context.registry.add(Camera(camera_id="door", name="Door", url="rtsp://x/1", partition=0))
    await context.directory.refresh()
    broker = Broker(TrackStore(context.redis))
    monkeypatch.setattr(context.publisher, "publish", broker.publish)
    return broker


def decided(answer: str = "unknown", person_id: str | None = None, **changes: Any) -> IdentityDecided:
    fields: dict[str, Any] = {
        "camera_id": "door", "event_id": "i", "captured_at_ns": 1, "track_id": TRACK, "shot_number": 3,
        "state": "confirmed", "answer": answer, "model": "face_embedder", "model_version": 1,
        "gallery_generation": 5, "person_id": person_id,
    }  # fmt: skip
    return IdentityDecided(**(fields | changes))


async def keep_views(gateway: Gateway, count: int = 2) -> None:
    shots = [TrackShot(quality=0.9, captured_at_ns=10**18, face_jpeg=b"view") for _ in range(count)]
    await gateway.context.redis.set(track_shots_key(TRACK), msgspec.msgpack.encode(shots))


async def name(gateway: Gateway, **who: str) -> Any:
    return await gateway.client.put(f"/api/tracks/{TRACK}/name", json=who)


async def called_now(broker: Broker) -> tuple[str, str | None]:
    [state] = await broker.tracks.load([TRACK])
    assert state.identity is not None
    return state.identity.answer, state.identity.person_id


async def test_unknown_face_gets_a_new_name(gateway_with_redis: Gateway, broker: Broker) -> None:
    """The person is added with the consent, the views are on their way, the track is called so at once."""
    await broker.tracks.merge([decided()])
    await keep_views(gateway_with_redis)
    answer = await name(gateway_with_redis, name="Ada", consent_note="signed")
    assert answer.status_code == 200, answer.text
    person = answer.json()["person"]
    assert (person["name"], person["consent_note"], answer.json()["photo_count"]) == ("Ada", "signed", 2)
    assert await called_now(broker) == ("known", person["person_id"])
    photos = (await gateway_with_redis.client.get(f"/api/people/{person['person_id']}/photos")).json()
    assert [(photo["status"], photo["filename"][:5]) for photo in photos] == [("pending", "Door,")] * 2


async def test_the_next_shot_has_the_last_word(gateway_with_redis: Gateway, broker: Broker) -> None:
    """What people say is newer than the shots there were, and older than those to come."""
    await broker.tracks.merge([decided()])
    await keep_views(gateway_with_redis)
    await name(gateway_with_redis, name="Ada")
    await broker.tracks.merge([decided(gallery_generation=6)])
    assert (await called_now(broker))[0] == "known"
    await broker.tracks.merge([decided(shot_number=4)])
    assert (await called_now(broker))[0] == "unknown"


async def test_wrong_name_is_denied_and_replaced(gateway_with_redis: Gateway, broker: Broker) -> None:
    """The face won't be called by the wrong name again; undoing takes both back."""
    client = gateway_with_redis.client
    bob = (await client.post("/api/people", json={"name": "Bob"})).json()["person_id"]
    ada = (await client.post("/api/people", json={"name": "Ada"})).json()["person_id"]
    await broker.tracks.merge([decided("known", bob)])
    await keep_views(gateway_with_redis)
    assert (await name(gateway_with_redis, person_id=ada)).status_code == 200
    assert await called_now(broker) == ("known", ada)
    who = await gateway_with_redis.context.names.read()
    assert who.denials == {TRACK: bob}
    assert (await client.delete(f"/api/tracks/{TRACK}/name")).status_code == 204
    assert await called_now(broker) == ("known", bob)
    assert (await gateway_with_redis.context.names.read()).denials == {}
    assert (await client.get(f"/api/people/{ada}/photos")).json() == []
    assert len((await client.get("/api/people")).json()) == 2


async def test_second_thoughts_leave_no_templates_with_the_first_name(
    gateway_with_redis: Gateway, broker: Broker
) -> None:
    """A face that is named again is no longer the person it was taken for first."""
    client = gateway_with_redis.client
    await broker.tracks.merge([decided()])
    await keep_views(gateway_with_redis)
    await name(gateway_with_redis, name="Ada")
    bob = (await name(gateway_with_redis, name="Bob")).json()["person"]["person_id"]
    assert await called_now(broker) == ("known", bob)
    assert [person["name"] for person in (await client.get("/api/people")).json()] == ["Bob"]
    assert (await client.delete(f"/api/tracks/{TRACK}/name")).status_code == 204
    assert await called_now(broker) == ("unknown", None)


async def test_undoing_forgets_a_person_who_was_added_for_it(
    gateway_with_redis: Gateway, broker: Broker
) -> None:
    """They had nothing but these views; a second undo finds nothing to undo."""
    await broker.tracks.merge([decided()])
    await keep_views(gateway_with_redis)
    await name(gateway_with_redis, name="Ada")
    client = gateway_with_redis.client
    assert (await client.delete(f"/api/tracks/{TRACK}/name")).status_code == 204
    assert (await client.get("/api/people")).json() == []
    assert await called_now(broker) == ("unknown", None)
    assert (await client.delete(f"/api/tracks/{TRACK}/name")).status_code == 404


async def test_without_a_view_nobody_is_named(gateway_with_redis: Gateway, broker: Broker) -> None:
    """The words say what to do, and nobody was added."""
    await broker.tracks.merge([decided()])
    answer = await name(gateway_with_redis, name="Ada")
    assert answer.status_code == 422
    assert "while it is in view" in answer.json()["detail"]
    assert (await gateway_with_redis.client.get("/api/people")).json() == []


async def test_history_is_called_by_the_name_and_loses_it_again(
    gateway_with_redis: Gateway, broker: Broker
) -> None:
    """Also long after the track, when only the history knows of it."""
    context, client = gateway_with_redis.context, gateway_with_redis.client
    sighting = Sighting(
        track_id=TRACK, camera_id="door", camera_name="Door", answer="unclear",
        started_at=utc_now(), ended_at=utc_now(),
    )  # fmt: skip
    await context.database.run(lambda session: session.add(sighting))
    await keep_views(gateway_with_redis)
    assert (await name(gateway_with_redis, name="Ada")).status_code == 200
    assert (await client.get("/api/sightings")).json()[0]["person_name"] == "Ada"
    assert (await client.delete(f"/api/tracks/{TRACK}/name")).status_code == 204
    [shown] = (await client.get("/api/sightings")).json()
    assert (shown["answer"], shown["person_name"]) == ("unclear", None)


@pytest.mark.parametrize("body", [{}, {"person_id": "x", "name": "Ada"}, {"name": ""}])
async def test_a_request_says_who_it_is(body: dict[str, str], gateway_with_redis: Gateway) -> None:
    """Either somebody known or the name of somebody new."""
    assert (await name(gateway_with_redis, **body)).status_code == 422


async def test_forgotten_person_takes_the_views_of_their_tracks_along(
    gateway_with_redis: Gateway, broker: Broker
) -> None:
    """Views that are still kept of a track under their name go with them."""
    ada = (await gateway_with_redis.client.post("/api/people", json={"name": "Ada"})).json()["person_id"]
    sighting = Sighting(
        track_id=TRACK, camera_id="door", camera_name="Door", person_id=ada, answer="known",
        started_at=utc_now(), ended_at=utc_now(),
    )  # fmt: skip
    await gateway_with_redis.context.database.run(lambda session: session.add(sighting))
    await keep_views(gateway_with_redis)
    await gateway_with_redis.context.redis.set(track_vector_key(TRACK), b"v")
    await gateway_with_redis.client.delete(f"/api/people/{ada}")
    assert not await gateway_with_redis.context.redis.exists(track_shots_key(TRACK), track_vector_key(TRACK))
