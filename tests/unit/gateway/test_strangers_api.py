"""Strangers through the interface: named, ignored, joined, split, forgotten, and most of it taken back."""

import pytest

from mien.contracts.events import IdentityDecided, StrangerWithdrawn
from mien.contracts.recognition import Rules, StrangersApart, StrangersJoined
from services.gateway.merge import TrackState
from services.gateway.pipeline import identity_now
from services.gateway.sightings import cloud_event, sighting_of
from services.gateway.tables import Photo, User
from services.gateway.who import StrangerRow, name_strangers
from tests.unit.gateway.conftest import Gateway
from tests.unit.gateway.town import CAMERA, Town


@pytest.fixture
def town(gateway_with_redis: Gateway) -> Town:
    return Town(gateway_with_redis)


async def test_stranger_is_told_with_visits_cameras_and_best_face(town: Town) -> None:
    """ "Stranger 1, seen twice on two cameras", the clearest view in front."""
    await town.visit("s1", "door:1:1", quality=0.5, days_ago=1)
    await town.visit("s1", "yard:1:1", quality=0.9)
    await town.visit("s2", "door:1:2", days_ago=2)
    first, second = await town.get("/api/strangers")
    assert (first["label"], first["visit_count"], first["cameras"]) == ("Stranger 1", 2, ["door", "yard"])
    assert (second["label"], second["visit_count"], len(second["visit_times"])) == ("Stranger 2", 1, 1)
    assert (await town.gateway.client.get(first["face_url"])).content == b"face yard:1:1 0.9"
    detail = await town.get("/api/strangers/s1")
    assert [visit["visit_id"] for visit in detail["visits"]] == ["yard:1:1", "door:1:1"]


async def test_repeated_and_poorer_views_change_nothing(town: Town) -> None:
    """A replay is no visit, and the better face stays."""
    await town.visit("s1", "door:1:1", quality=0.9)
    await town.visit("s1", "door:1:1", quality=0.4)
    [stranger] = await town.get("/api/strangers")
    assert (stranger["visit_count"], stranger["best_quality"]) == (1, 0.9)


async def test_withdrawn_visit_takes_an_empty_stranger_along(town: Town) -> None:
    """Somebody who turned out to be known was no stranger."""
    await town.visit("s1", "door:1:1")
    await town.note(
        StrangerWithdrawn(
            camera_id="door", event_id="w", captured_at_ns=1, member_id="door:1:1", stranger_id="s1"
        )
    )
    assert await town.labels() == []


async def test_naming_renames_history_and_enrols_the_best_faces(town: Town) -> None:
    """One click makes a stranger a person, backwards and forwards; poor faces are not enrolled."""
    await town.visit("s1", "door:1:1", quality=0.9)
    await town.visit("s1", "door:1:2", quality=0.1)
    person = await town.post(
        "/api/strangers/name", stranger_ids=["s1"], name="Ada", consent_note="asked at the door"
    )
    assert (person["name"], person["consent_note"], person["photo_count"]) == ("Ada", "asked at the door", 1)
    assert [name for _, name, _ in await town.history()] == ["Ada", "Ada"]
    photos = await town.get(f"/api/people/{person['person_id']}/photos")
    assert photos[0]["status"] == "pending"
    decided = IdentityDecided(
        camera_id="door", event_id="i", captured_at_ns=1, track_id="door:1:3", shot_number=2,
        state="confirmed", answer="unknown", model="m", model_version=1, gallery_generation=1,
        stranger_id="s1", similarity=0.9,
    )  # fmt: skip
    identity = identity_now(decided, town.context.names.known, CAMERA)
    assert identity is not None
    assert (identity.answer, identity.person_id, identity.similarity) == ("known", person["person_id"], None)


async def test_name_can_be_taken_back(town: Town) -> None:
    """History, faces and a person who was nothing but that name are as before."""
    await town.visit("s1", "door:1:1")
    person = await town.post("/api/strangers/name", stranger_ids=["s1"], name="Ada")
    await town.post("/api/strangers/s1/unname")
    assert await town.history() == [("door:1:1", None, "Stranger 1")]
    assert (await town.gateway.client.get(f"/api/people/{person['person_id']}")).status_code == 404


async def test_taking_a_name_back_leaves_a_person_with_photos_of_their_own(town: Town) -> None:
    """Somebody who was known before stays."""
    person = await town.post("/api/people", name="Ada")
    own = Photo(photo_id="own", person_id=person["person_id"], filename="a.jpg", status="enrolled")
    await town.context.database.run(lambda session: session.add(own))
    await town.visit("s1", "door:1:1")
    await town.post("/api/strangers/name", stranger_ids=["s1"], person_id=person["person_id"])
    await town.post("/api/strangers/s1/unname")
    photos = await town.get(f"/api/people/{person['person_id']}/photos")
    assert [photo["photo_id"] for photo in photos] == ["own"]


@pytest.mark.parametrize(
    "body", [{"stranger_ids": ["s1"]}, {"stranger_ids": ["s1"], "name": "A", "person_id": "p"}]
)
async def test_naming_wants_either_a_person_or_a_name(body: dict[str, object], town: Town) -> None:
    """Not neither, and not both."""
    answer = await town.gateway.client.post("/api/strangers/name", json=body)
    assert (answer.status_code, "either a person or the name" in answer.text) == (422, True)


async def test_ignored_stranger_is_left_out_of_history(town: Town) -> None:
    """Of the postman nobody needs to hear, until somebody asks."""
    await town.visit("s1", "door:1:1")
    await town.post("/api/strangers/ignore", stranger_ids=["s1"], ignored=True)
    assert await town.history() == []
    assert len(await town.history(with_ignored=True)) == 1
    await town.post("/api/strangers/ignore", stranger_ids=["s1"], ignored=False)
    assert len(await town.history()) == 1


async def test_ignored_person_is_left_out_of_history(town: Town) -> None:
    """The same for somebody with a name."""
    await town.visit("s1", "door:1:1")
    person = await town.post("/api/strangers/name", stranger_ids=["s1"], name="Postman")
    await town.gateway.client.patch(f"/api/people/{person['person_id']}", json={"ignored": True})
    assert await town.history() == []
    assert len(await town.history(with_ignored=True)) == 1


async def test_joined_strangers_are_one_and_can_be_taken_apart(town: Town) -> None:
    """Both visits under the first number; apart again, they stay apart."""
    await town.visit("s1", "door:1:1")
    await town.visit("s2", "door:1:2")
    joined = await town.post("/api/strangers/merge", stranger_ids=["s1", "s2"])
    assert (joined["label"], joined["visit_count"], joined["joined_ids"]) == ("Stranger 1", 2, ["s2"])
    assert {label for _, _, label in await town.history()} == {"Stranger 1"}
    await town.post("/api/strangers/s2/unmerge")
    assert sorted(await town.labels()) == ["Stranger 1", "Stranger 2"]
    assert town.context.rules.known.apart == {frozenset({"s1", "s2"})}
    await town.post("/api/strangers/merge", stranger_ids=["s2", "s1"])
    assert (await town.labels(), town.context.rules.known.apart) == (["Stranger 2"], frozenset())


async def test_joining_with_a_named_stranger_names_the_others(town: Town) -> None:
    """The history of both has the name, and loses it for the one who is taken out again."""
    await town.visit("s1", "door:1:1")
    await town.visit("s2", "door:1:2")
    await town.post("/api/strangers/name", stranger_ids=["s1"], name="Ada")
    await town.post("/api/strangers/merge", stranger_ids=["s2", "s1"])
    assert [name for _, name, _ in await town.history()] == ["Ada", "Ada"]
    await town.post("/api/strangers/s1/unmerge")
    assert [name for _, name, _ in await town.history()] == ["Ada", None]


async def test_strangers_of_two_names_are_not_joined(town: Town) -> None:
    """Two people don't become one by a slip of the hand."""
    await town.visit("s1", "door:1:1")
    await town.visit("s2", "door:1:2")
    await town.post("/api/strangers/name", stranger_ids=["s1"], name="Ada")
    await town.post("/api/strangers/name", stranger_ids=["s2"], name="Bob")
    answer = await town.gateway.client.post("/api/strangers/merge", json={"stranger_ids": ["s1", "s2"]})
    assert (answer.status_code, "different names" in answer.text) == (422, True)


async def test_visits_of_somebody_else_are_split_off(town: Town) -> None:
    """Recognizers, history and page agree at once; both are kept apart from then on."""
    await town.visit("s1", "door:1:1")
    await town.visit("s1", "door:1:2")
    other = await town.post("/api/strangers/s1/split", visit_ids=["door:1:2"])
    assert (other["label"], other["visit_count"]) == ("Stranger 2", 1)
    assert await town.members() == {"door:1:1": "s1", "door:1:2": other["stranger_id"]}
    assert [label for _, _, label in await town.history()] == ["Stranger 1", "Stranger 2"]
    assert town.context.rules.known.apart == {frozenset({"s1", other["stranger_id"]})}
    answer = await town.gateway.client.post("/api/strangers/s1/split", json={"visit_ids": ["door:1:1"]})
    assert answer.status_code == 422


async def test_forgotten_stranger_is_nowhere(town: Town) -> None:
    """Faces, vectors, rules and the number in the history go; that somebody was there stays."""
    await town.visit("s1", "door:1:1")
    await town.visit("s2", "door:1:2")
    await town.post("/api/strangers/merge", stranger_ids=["s1", "s2"])
    face_url = (await town.get("/api/strangers"))[0]["face_url"]
    await town.post("/api/strangers/forget", stranger_ids=["s1"])
    assert (await town.labels(), await town.members()) == ([], {})
    assert town.context.rules.known.joined == {}
    assert (await town.gateway.client.get(face_url)).status_code == 404
    assert await town.history() == [("door:1:1", None, None), ("door:1:2", None, None)]
    assert (await town.gateway.client.get("/api/strangers/s1")).status_code == 404


async def test_strangers_expire(town: Town) -> None:
    """Who was not seen for as long as the policy says is forgotten, and so are older visits of the others."""
    await town.visit("s1", "door:1:1", days_ago=8)
    await town.visit("s2", "door:1:2", days_ago=8)
    await town.visit("s2", "door:1:3", days_ago=1)
    await town.context.strangers.sweep()
    assert (await town.labels(), await town.members()) == (["Stranger 2"], {"door:1:3": "s2"})
    assert (await town.get("/api/strangers"))[0]["visit_count"] == 1


async def test_joined_strangers_live_as_long_as_any_of_them(town: Town) -> None:
    """A number does not change because its first visit has expired."""
    await town.visit("s1", "door:1:1", days_ago=8)
    await town.visit("s2", "door:1:2", days_ago=1)
    await town.post("/api/strangers/merge", stranger_ids=["s1", "s2"])
    await town.context.strangers.sweep()
    assert await town.labels() == ["Stranger 1"]


async def test_turning_strangers_off_forgets_all_at_once(town: Town) -> None:
    """0 days: nobody unknown is remembered."""
    await town.visit("s1", "door:1:1", days_ago=0.001)
    assert await town.get("/api/strangers/policy") == {"keep_days": 7}
    answer = await town.gateway.client.put("/api/strangers/policy", json={"keep_days": 0})
    assert answer.json() == {"keep_days": 0}
    assert (await town.labels(), await town.members()) == ([], {})


async def test_viewer_may_look_but_change_nothing(town: Town) -> None:
    """Only an admin decides who is who."""
    await town.visit("s1", "door:1:1")
    await town.context.database.run(lambda session: setattr(session.get(User, "admin"), "role", "viewer"))
    del town.gateway.client.headers["Authorization"]
    await town.gateway.log_in()
    assert await town.labels() == ["Stranger 1"]
    answer = await town.gateway.client.post("/api/strangers/forget", json={"stranger_ids": ["s1"]})
    assert answer.status_code == 403


async def test_redis_away_is_said_in_words(gateway: Gateway) -> None:
    """Nothing half done, and no page of code."""
    gateway.use_token()
    answer = await gateway.client.get("/api/strangers")
    assert (answer.status_code, "Redis does not answer" in answer.text) == (503, True)


def test_stranger_in_view_has_the_number_of_whom_they_were_joined_with() -> None:
    """Also before the first visit of that one is written down."""
    rules = Rules.of(
        [
            StrangersJoined(stranger_id="s2", into_stranger_id="s1"),
            StrangersApart(stranger_ids=("s1", "s3")),
        ],
        generation=1,
    )
    names = name_strangers([StrangerRow("s2", 7), StrangerRow("s3", 8, "p1")], rules)
    assert (names["s2"].root_id, names["s2"].label, names["s3"].person_id) == ("s1", "Stranger 7", "p1")


async def test_sighting_says_which_stranger_it_was(town: Town) -> None:
    """A track that ends is written with its stranger; under a name if there is one by then."""
    await town.visit("s1", "door:1:1")
    decided = IdentityDecided(
        camera_id="door", event_id="i", captured_at_ns=1, track_id="door:1:2", shot_number=2,
        state="confirmed", answer="unknown", model="m", model_version=1, gallery_generation=1,
        stranger_id="s1",
    )  # fmt: skip
    state = TrackState("door:1:2", "door", identity=decided, ended_at_ns=2)
    await town.context.registry.add(CAMERA)
    await town.context.directory.refresh()
    sighting = sighting_of(state, town.context.directory, town.context.names.known)
    assert sighting is not None
    assert (sighting.answer, sighting.stranger_id) == ("unknown", "s1")
    assert cloud_event(sighting, town.context.names.known)["data"]["stranger_label"] == "Stranger 1"
