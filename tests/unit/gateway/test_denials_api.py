"""Names that were wrong, and people who must not be named, through the interface."""

import pytest

from mien.contracts.events import IdentityDecided
from mien.contracts.models import FACE_EMBEDDER
from mien.contracts.recognition import Denial, InactivePerson, TrackVector, encode_record, track_vector_key
from services.gateway.pipeline import identity_now
from services.gateway.tables import Sighting
from tests.unit.gateway.conftest import Gateway
from tests.unit.gateway.town import CAMERA, NOW, Town


@pytest.fixture
def town(gateway_with_redis: Gateway) -> Town:
    return Town(gateway_with_redis)


async def test_denied_sighting_loses_its_name_and_gets_it_back(town: Town) -> None:
    """One click, and one more."""
    person = await town.post("/api/people", name="Ada")
    sighting = Sighting(
        track_id="door:1:9", camera_id="door", camera_name="Door", answer="known",
        person_id=person["person_id"], similarity=0.95, started_at=NOW, ended_at=NOW,
    )  # fmt: skip
    await town.context.database.run(lambda session: session.add(sighting))
    looks = TrackVector(model=FACE_EMBEDDER.name, model_version=1, vector=b"\1" * 512)
    await town.context.redis.set(track_vector_key("door:1:9"), encode_record(looks))
    url = "/api/sightings/door:1:9/denial"
    denied = (await town.gateway.client.put(url, json={})).json()
    assert (denied["person_name"], denied["answer"], denied["denied_person_name"]) == (None, "unknown", "Ada")
    [denial] = town.context.rules.known.denials
    assert denial == Denial(
        track_id="door:1:9",
        person_id=person["person_id"],
        denied_at_ns=denial.denied_at_ns,
        vector=looks,
    )
    restored = (await town.gateway.client.delete(url)).json()
    assert (restored["person_name"], restored["denied_person_id"]) == ("Ada", None)
    assert (await town.gateway.client.delete(url)).status_code == 422


async def test_somebody_in_view_can_be_denied_before_there_is_a_sighting(town: Town) -> None:
    """The live picture shows no name from that moment on, and the history gets none."""
    person_id = (await town.post("/api/people", name="Ada"))["person_id"]
    answer = await town.gateway.client.put("/api/sightings/door:1:9/denial", json={"person_id": person_id})
    assert (answer.status_code, answer.json()) == (200, None)
    decided = IdentityDecided(
        camera_id="door", event_id="i", captured_at_ns=1, track_id="door:1:9", shot_number=2,
        state="confirmed", answer="known", model="m", model_version=1, gallery_generation=1,
        person_id=person_id, similarity=0.95,
    )  # fmt: skip
    identity = identity_now(decided, town.context.names.known, CAMERA)
    assert identity is not None
    assert (identity.answer, identity.person_id) == ("unknown", None)


async def test_sighting_without_a_name_cannot_be_denied(town: Town) -> None:
    """There is nothing to correct."""
    await town.visit("s1", "door:1:1")
    answer = await town.gateway.client.put("/api/sightings/door:1:1/denial", json={})
    assert (answer.status_code, "nobody was named" in answer.text) == (422, True)


async def test_switched_off_person_is_told_to_recognizers(town: Town) -> None:
    """And taken back when they are switched on again."""
    person_id = (await town.post("/api/people", name="Ada"))["person_id"]
    await town.gateway.client.patch(f"/api/people/{person_id}", json={"active": False})
    assert town.context.rules.known.inactive_people == {person_id}
    await town.gateway.client.patch(f"/api/people/{person_id}", json={"active": True})
    assert town.context.rules.known.inactive_people == frozenset()


async def test_forgotten_person_takes_strangers_and_denials_along(town: Town) -> None:
    """A person who is forgotten everywhere does not come back as a stranger."""
    await town.visit("s1", "door:1:1")
    person_id = (await town.post("/api/strangers/name", stranger_ids=["s1"], name="Ada"))["person_id"]
    await town.context.redis.set(track_vector_key("door:1:1"), b"vector")
    await town.context.rules.write(
        [InactivePerson(person_id=person_id), Denial(track_id="t", person_id=person_id, denied_at_ns=1)]
    )
    assert (await town.gateway.client.delete(f"/api/people/{person_id}")).status_code == 204
    assert (await town.labels(), await town.members()) == ([], {})
    assert not await town.context.redis.exists(track_vector_key("door:1:1"))
    rules = await town.context.rules.refresh()
    assert (rules.denials, rules.inactive_people) == ((), frozenset())
