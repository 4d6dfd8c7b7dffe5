"""Strangers are remembered, found again and withdrawn; names that were denied don't come back."""

import asyncio

import msgspec

from mien.contracts.events import (
    StrangerWithdrawn,
)
from mien.contracts.models import FACE_EMBEDDER
from mien.contracts.recognition import (
    Denial,
    InactivePerson,
    StrangerPolicy,
    StrangersJoined,
    TrackVector,
    rule_id,
    strangers_key,
    track_vector_key,
)
from mien.contracts.shared_state import vote_key
from mien.runtime.rules import RuleStore
from tests.samples import face_shot
from tests.unit.recognizer.bench import BLUE, RED, ROSY, Bench, enrol, received


async def test_stranger_who_comes_back_is_the_same_stranger(bench: Bench) -> None:
    """Two visits on two cameras are one stranger's; somebody else is another."""
    first = await bench.visit("door:1:1", RED, RED)
    other = await bench.visit("door:1:2", BLUE, BLUE)
    again = await bench.visit("yard:1:1", RED, RED)
    assert first.stranger_id is not None
    assert again.stranger_id == first.stranger_id != other.stranger_id
    assert [event.member_id for event in bench.strangers()] == ["door:1:1", "door:1:2", "yard:1:1"]


async def test_one_shot_remembers_nobody(bench: Bench) -> None:
    """A single view may be of anything."""
    assert (await bench.visit("door:1:1", RED)).stranger_id is None
    assert not bench.strangers()


async def test_replay_of_a_strangers_shot_finds_the_same_stranger(bench: Bench) -> None:
    """A crash after writing the visit, before saving the vote, makes no second stranger."""
    first = await bench.visit("door:1:1", RED, RED)
    await bench.redis.delete(vote_key("door:1:1"))
    again = await bench.visit("door:1:1", RED, RED)
    assert again.stranger_id == first.stranger_id
    assert len(await bench.redis.hgetall(strangers_key(FACE_EMBEDDER.name))) == 1


async def test_two_recognizers_that_meet_a_stranger_at_once_find_one(bench: Bench) -> None:
    """Whoever writes second looks again first, so one face is never two strangers."""
    other = Bench(bench.server)
    await bench.recognizer.refresh()
    await other.recognizer.refresh()
    here, there = await asyncio.gather(bench.visit("door:1:1", RED, RED), other.visit("yard:1:1", RED, RED))
    assert here.stranger_id == there.stranger_id


async def test_stranger_who_turns_out_to_be_known_is_withdrawn(bench: Bench) -> None:
    """A visit under the wrong heading is taken back when the person is enrolled while in view."""
    await bench.visit("door:1:1", RED, RED)
    await enrol(bench, "rosa", RED)
    shot = face_shot(track_id="door:1:1", shot_number=3, crop_jpeg=RED)
    await bench.recognizer.handle(received(shot))
    assert bench.identities()[-1].person_id == "rosa"
    assert isinstance(bench.strangers()[-1], StrangerWithdrawn)
    assert not await bench.redis.hgetall(strangers_key(FACE_EMBEDDER.name))


async def test_strangers_are_not_remembered_where_that_is_turned_off(bench: Bench) -> None:
    """With 0 days nothing of a stranger is written anywhere."""
    await RuleStore(bench.redis).write([StrangerPolicy(keep_days=0)])
    await bench.recognizer.refresh()
    assert (await bench.visit("door:1:1", RED, RED)).stranger_id is None
    assert not await bench.redis.keys("mien:strangers:*")
    assert not bench.strangers()


async def test_strangers_that_were_joined_are_one_from_the_next_shot_on(bench: Bench) -> None:
    """A rule of the gateway holds in a running recognizer, and its withdrawal, too."""
    red = await bench.visit("door:1:1", RED, RED)
    blue = await bench.visit("door:1:2", BLUE, BLUE)
    assert red.stranger_id
    assert blue.stranger_id
    rules = RuleStore(bench.redis)
    joined = StrangersJoined(stranger_id=blue.stranger_id, into_stranger_id=red.stranger_id)
    await rules.write([joined])
    await bench.recognizer.refresh()
    # Faces whose mean is neither would join only the two together: the pair is asked for itself.
    assert (await bench.visit("door:1:1", RED, RED, RED)).stranger_id == red.stranger_id
    blue_again = face_shot(track_id="door:1:2", shot_number=3, crop_jpeg=BLUE)
    await bench.recognizer.handle(received(blue_again))
    assert bench.identities()[-1].stranger_id == red.stranger_id
    await rules.write(delete=[rule_id(joined)])
    await bench.recognizer.refresh()
    await bench.recognizer.handle(received(face_shot(track_id="door:1:2", shot_number=4, crop_jpeg=BLUE)))
    assert bench.identities()[-1].stranger_id == blue.stranger_id


async def test_denied_name_does_not_come_back(bench: Bench) -> None:
    """After "not this person" the same face gets no such name, in no later track."""
    await enrol(bench, "rosa", RED)
    named = await bench.visit("door:1:1", ROSY, ROSY)
    assert named.person_id == "rosa"
    looks = msgspec.msgpack.decode(await bench.redis.get(track_vector_key("door:1:1")), type=TrackVector)
    await RuleStore(bench.redis).write(
        [Denial(track_id="door:1:1", person_id="rosa", denied_at_ns=1, vector=looks)]
    )
    await bench.recognizer.refresh()
    assert (await bench.visit("door:1:2", ROSY, ROSY)).answer == "unknown"
    assert (await bench.visit("door:1:3", RED, RED)).person_id == "rosa"


async def test_switched_off_person_is_not_recognised(bench: Bench) -> None:
    """Neither by name nor as a stranger."""
    await enrol(bench, "rosa", RED)
    await RuleStore(bench.redis).write([InactivePerson(person_id="rosa")])
    await bench.recognizer.refresh()
    decided = await bench.visit("door:1:1", RED, RED)
    assert (decided.answer, decided.stranger_id) == ("unknown", None)
