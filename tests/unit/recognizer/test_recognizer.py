"""The recognizer publishes before it saves, retries what may succeed and enrols into the gallery."""

import asyncio

import cv2
import fakeredis
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.events import (
    EnrolmentResult,
    FaceShot,
    IdentityDecided,
    StrangerEvent,
    StrangerSeen,
    StrangerWithdrawn,
    TemplateCreated,
    decode_event,
)
from mien.contracts.models import EMBEDDINGS, FACE_EMBEDDER, FACE_EMBEDDER_FUSED, SERVED_EMBEDDERS
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
from mien.contracts.topics import ENROLMENT_RESULTS, IDENTITIES, STRANGERS
from mien.errors import PermanentError, TransientError
from mien.runtime.event_loop import Received
from mien.runtime.rules import RuleStore
from mien.runtime.serving import Prediction
from services.recognizer.classification import Opinion
from services.recognizer.config import RecognizerSettings
from services.recognizer.main import Recognizer
from services.recognizer.pipeline import Thresholds, add_shot
from tests.fakes import FakeProducer
from tests.samples import TRACK_ID, face_shot


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


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def enrol(bench: Bench, person_id: str, picture: bytes) -> None:
    shot = face_shot(
        purpose="enrolment", person_id=person_id, track_id=f"photo-{person_id}", crop_jpeg=picture
    )
    await bench.recognizer.handle(received(shot))
    await bench.recognizer.refresh()


async def test_enrolled_person_is_recognised_and_a_stranger_is_not(bench: Bench) -> None:
    """The whole way from a photo to a name."""
    await enrol(bench, "rosa", RED)
    await bench.recognizer.handle(
        received(face_shot(crop_jpeg=RED), face_shot(crop_jpeg=BLUE, track_id="door:3:18"))
    )
    assert [(event.answer, event.person_id) for event in bench.identities()] == [
        ("known", "rosa"),
        ("unknown", None),
    ]


async def test_a_fused_embedder_asks_both_models_and_names_people(bench: Bench) -> None:
    """The gallery, the votes and the thresholds work on its vectors as on those of one model."""
    bench.recognizer = Recognizer(
        RecognizerSettings(embedder=FACE_EMBEDDER_FUSED.name),
        redis=bench.redis,
        serving=bench.serving,  # type: ignore[arg-type]
        producer=bench.producer,
    )
    await enrol(bench, "rosa", RED)
    await bench.recognizer.handle(
        received(face_shot(crop_jpeg=RED), face_shot(crop_jpeg=BLUE, track_id="door:3:18"))
    )
    assert [(event.answer, event.person_id) for event in bench.identities()] == [
        ("known", "rosa"),
        ("unknown", None),
    ]
    assert bench.serving.models == {"face_embedder", "face_embedder_faceres"}
    assert {event.model for event in bench.identities()} == {"face_embedder_fused"}


async def test_enrolment_is_answered_on_its_partition(bench: Bench) -> None:
    """The gateway learns which template a photo became."""
    await enrol(bench, "rosa", RED)
    ((partition, value),) = bench.producer.sent[ENROLMENT_RESULTS.name]
    result: EnrolmentResult = decode_event(value, EnrolmentResult)
    assert isinstance(result, TemplateCreated)
    assert (partition, result.person_id, result.photo_id) == (3, "rosa", "photo-rosa")


async def test_faces_of_a_batch_share_calls_up_to_the_limit(bench: Bench) -> None:
    """Five faces with at most two per call make three calls."""
    shots = [face_shot(crop_jpeg=RED, track_id=f"door:3:{n}") for n in range(5)]
    await bench.recognizer.handle(received(*shots))
    assert bench.serving.batch_sizes == [2, 2, 1]


async def test_replay_of_a_batch_publishes_nothing_new(bench: Bench) -> None:
    """A batch read again after a crash leaves no second decision."""
    batch = received(face_shot(crop_jpeg=RED), face_shot(crop_jpeg=RED, shot_number=2))
    await bench.recognizer.handle(batch)
    before = await bench.redis.get(vote_key(TRACK_ID))
    await bench.recognizer.handle(batch)
    assert len(bench.identities()) == 2
    assert await bench.redis.get(vote_key(TRACK_ID)) == before


async def test_crash_between_publishing_and_saving_repeats_the_same_decision(bench: Bench) -> None:
    """What was not saved is decided again, with the same event id."""
    batch = received(face_shot(crop_jpeg=RED))
    await bench.recognizer.handle(batch)
    await bench.redis.delete(vote_key(TRACK_ID))
    await bench.recognizer.handle(batch)
    first, second = bench.identities()
    assert first == second


async def test_another_recognizer_goes_on_from_the_vote_in_redis(bench: Bench) -> None:
    """A dead recognizer's tracks are not begun anew."""
    await bench.recognizer.handle(received(face_shot(crop_jpeg=RED)))
    heir = Bench(bench.server)
    await heir.recognizer.handle(received(face_shot(crop_jpeg=RED, shot_number=2)))
    assert heir.identities()[0].state == "confirmed"


async def test_a_classifier_has_a_say_where_it_is_asked(bench: Bench) -> None:
    """The gallery accepts Rosa; the classifier is sure that it is somebody else, so nobody is named."""
    await enrol(bench, "rosa", RED)
    asked: list[tuple[int, ...]] = []

    class SureOfBob:
        async def opinion(self, vector: NDArray[np.float32]) -> Opinion:
            asked.append(vector.shape)
            return Opinion({"rosa": 0.01, "bob": 0.99}, accept_probability=0.9, version=7)

    bench.recognizer = Recognizer(
        RecognizerSettings(decision="both"),
        redis=bench.redis,
        serving=bench.serving,  # type: ignore[arg-type]
        producer=bench.producer,
        classifier=SureOfBob(),  # type: ignore[arg-type]
    )
    await bench.recognizer.handle(received(face_shot(crop_jpeg=RED)))
    (event,) = bench.identities()
    assert (event.answer, event.classifier_version) == ("unclear", 7)
    assert asked == [(FACE_EMBEDDER.dimensions,)]


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


async def test_redis_away_is_transient(bench: Bench) -> None:
    """The batch is read again instead of being lost."""
    bench.server.connected = False
    with pytest.raises(TransientError, match="Redis"):
        await bench.recognizer.handle(received(face_shot(crop_jpeg=RED)))


async def test_crop_that_is_no_picture_is_permanent(bench: Bench) -> None:
    """Retrying a broken crop would block the partition for ever."""
    with pytest.raises(PermanentError, match="expected a JPEG"):
        await bench.recognizer.handle(received(face_shot(crop_jpeg=b"\xff\xd8 broken")))


async def test_model_server_away_saves_nothing(bench: Bench) -> None:
    """No vote is kept for a face that was never embedded."""
    bench.serving.error = TransientError("model server: UNAVAILABLE")
    with pytest.raises(TransientError):
        await bench.recognizer.handle(received(face_shot(crop_jpeg=RED)))
    assert not await bench.redis.keys("mien:vote:*")


def test_vote_is_small() -> None:
    """A vote of a 128-value embedder fits into a Redis value of a kilobyte."""
    vote = add_shot(
        None,
        face_shot(),
        np.ones(128, dtype=np.float32),
        model="m",
        model_version=1,
        thresholds=Thresholds(accept_similarity=0.9, margin=0.01, min_quality=0.2, reject_similarity=0.8),
    )
    assert len(msgspec.msgpack.encode(vote)) < 1024
