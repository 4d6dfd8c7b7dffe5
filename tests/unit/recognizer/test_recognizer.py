"""The recognizer publishes before it saves, retries what may succeed and enrols into the gallery."""

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.events import (
    EnrolmentResult,
    TemplateCreated,
    decode_event,
)
from mien.contracts.models import FACE_EMBEDDER, FACE_EMBEDDER_FUSED
from mien.contracts.shared_state import vote_key
from mien.contracts.topics import ENROLMENT_RESULTS
from mien.errors import PermanentError, TransientError
from services.recognizer.classification import Opinion
from services.recognizer.config import RecognizerSettings
from services.recognizer.main import Recognizer
from services.recognizer.pipeline import Thresholds, add_shot
from tests.samples import TRACK_ID, face_shot
from tests.unit.recognizer.bench import BLUE, RED, Bench, enrol, received


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
