"""What a camera's policy does not allow is not read: proven on the real topics, with a real Redis."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from prometheus_client import REGISTRY

from mien.contracts.cameras import Camera
from mien.contracts.events import (
    EmotionEstimated,
    FaceShot,
    TirednessEstimated,
    TracksObserved,
    encode_event,
)
from mien.contracts.models import EMOTION_CLASSIFIER, EYELIDS
from mien.contracts.readings import (
    BASELINE_TTL_SECONDS,
    EmotionBaseline,
    ReadingStop,
    emotion_baseline_key,
    emotion_counts_key,
)
from mien.contracts.shared_state import emotion_state_key, track_key
from mien.contracts.topics import EMOTION_FACES, EMOTIONS, IDENTITY_FACES, TIREDNESS, TRACKS
from mien.runtime.cameras import CameraRegistry
from mien.runtime.redis_connection import connect_redis
from tests.faces import people, read_rgb
from tests.integration.detector.harness import (
    PARTITIONS,
    camera_feed,
    detector_settings,
    listen,
    running_detector,
    until,
)
from tests.integration.emotion.harness import RunningWorker, running_worker
from tests.samples import SAMPLES

EMOTION = {"emotion_policy": "per_person", "emotion_purpose": "study", "context": "public"}
TIREDNESS_ON = {"tiredness_policy": "per_person", "tiredness_purpose": "rest at machines"}


@pytest.fixture
async def worker(kafka_bootstrap: str, redis_url: str) -> AsyncIterator[RunningWorker]:
    async with running_worker(kafka_bootstrap, redis_url) as worker:
        yield worker


def dropped(stage: str = "emotion") -> float:
    return REGISTRY.get_sample_value("mien_dropped_total", {"stage": stage, "reason": "policy"}) or 0.0


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {**EMOTION, "emotion_purpose": ""},
        {**EMOTION, "context": "workplace"},
        {**EMOTION, "enabled": False},
    ],
    ids=["off", "no purpose", "at work", "disabled"],
)
async def test_a_smuggled_face_is_dropped_and_counted(
    worker: RunningWorker, fields: dict[str, object], kafka_bootstrap: str, redis_url: str
) -> None:
    """Whoever writes past the detector gets no result, and no model sees the face."""
    settings = detector_settings(kafka_bootstrap, redis_url)
    forbidden, allowed = await worker.add_camera(**fields), await worker.add_camera(**EMOTION)
    before = dropped()
    async with listen(settings, EMOTIONS, EmotionEstimated) as emotions:
        for number in range(1, 6):
            await worker.send(forbidden, number)
        # The same partition's next message: when it has come through, those before it have been dropped.
        await worker.send(allowed, 1, partition=forbidden.partition)
        await until(lambda: any(one.camera_id == allowed.camera_id for one in emotions), "the allowed one")
    assert [one.camera_id for one in emotions if one.camera_id == forbidden.camera_id] == []
    assert dropped() - before == 5
    assert worker.models.asked == {EMOTION_CLASSIFIER.name: 1}
    assert await worker.kept_of(forbidden) == set()


async def test_switched_off_in_the_middle_of_a_call_nothing_is_told_and_all_is_deleted(
    worker: RunningWorker, kafka_bootstrap: str, redis_url: str
) -> None:
    """The model has the face already; its answer is thrown away, and so is what was read before."""
    settings = detector_settings(kafka_bootstrap, redis_url)
    camera = await worker.add_camera(**EMOTION, **TIREDNESS_ON)
    async with (
        listen(settings, EMOTIONS, EmotionEstimated) as emotions,
        listen(settings, TIREDNESS, TirednessEstimated) as tiredness,
    ):
        await worker.send(camera, 1)
        await until(lambda: bool(emotions) and bool(tiredness), "the first answers")
        await until_kept(worker, camera, {"emotion-state", "emotion-counts", "tiredness-state"})
        worker.models.answers.clear()
        await worker.send(camera, 2, track=2)
        await until(lambda: worker.models.asked[EMOTION_CLASSIFIER.name] == 2, "the model to be asked")
        before = dropped() + dropped("tiredness")
        await worker.registry.update(camera.camera_id, {"emotion_policy": "off", "tiredness_policy": "off"})
        worker.models.answers.set()
        await until(lambda: dropped() + dropped("tiredness") - before >= 1, "the answer to be dropped")
        await until_kept(worker, camera, set())
    assert {one.track_id for one in emotions} == {f"{camera.camera_id}:1:1"}
    assert {one.track_id for one in tiredness} == {f"{camera.camera_id}:1:1"}


async def test_one_switch_stops_every_camera(worker: RunningWorker) -> None:
    """The next face is dropped, whatever its camera's policy, until the stop is lifted."""
    camera = await worker.add_camera(**EMOTION)
    await worker.send(camera, 1)
    await until_kept(worker, camera, {"emotion-state", "emotion-counts"})
    await worker.registry.set_reading_stop(ReadingStop(by="admin", at_ns=1))
    try:
        before = dropped()
        await worker.send(camera, 2)
        await until(lambda: dropped() > before, "the face to be dropped")
        await until_kept(worker, camera, set())
    finally:
        await worker.registry.set_reading_stop(None)
    await worker.send(camera, 3)
    await until_kept(worker, camera, {"emotion-state", "emotion-counts"})


async def test_where_only_totals_are_allowed_no_track_is_told_of(
    worker: RunningWorker, kafka_bootstrap: str, redis_url: str
) -> None:
    """Three people make three in the counts, and nothing on the topic."""
    settings = detector_settings(kafka_bootstrap, redis_url)
    camera = await worker.add_camera(**EMOTION | {"emotion_policy": "aggregate"})
    witness = await worker.add_camera(**EMOTION)
    async with listen(settings, EMOTIONS, EmotionEstimated) as emotions:
        shots = [await worker.send(camera, 1, track=track) for track in (1, 2, 3)]
        await worker.send(witness, 1, partition=camera.partition)
        await until(lambda: any(one.camera_id == witness.camera_id for one in emotions), "the witness")
    assert not [one for one in emotions if one.camera_id == camera.camera_id]
    quarters = {shot.captured_at_ns // 10**9 // 900 for shot in shots}
    counts = [
        await worker.redis.hget(emotion_counts_key(camera.camera_id, 900, quarter), "happy")
        for quarter in sorted(quarters)
    ]
    assert sum(int(count or 0) for count in counts) == 3


async def test_what_was_read_for_totals_is_never_told_of_a_person(
    worker: RunningWorker, kafka_bootstrap: str, redis_url: str
) -> None:
    """A policy that is widened while the model is at work does not widen what the face came for."""
    settings = detector_settings(kafka_bootstrap, redis_url)
    camera = await worker.add_camera(**EMOTION | {"emotion_policy": "aggregate"})
    async with listen(settings, EMOTIONS, EmotionEstimated) as emotions:
        worker.models.answers.clear()
        await worker.send(camera, 1)
        await until(lambda: worker.models.asked.get(EMOTION_CLASSIFIER.name) == 1, "the model to be asked")
        before = dropped()
        await worker.registry.update(camera.camera_id, {"emotion_policy": "per_person"})
        worker.models.answers.set()
        await until(lambda: dropped() > before, "the answer to be dropped")
        await worker.send(camera, 1, track=2)
        await until(lambda: bool(emotions), "the next one")
    assert [one.track_id for one in emotions if one.camera_id == camera.camera_id] == [
        f"{camera.camera_id}:1:2"
    ]


async def test_tiredness_alone_asks_no_emotion_of_anybody(
    worker: RunningWorker, kafka_bootstrap: str, redis_url: str
) -> None:
    """Two switches: a face that came for one is not used for the other."""
    settings = detector_settings(kafka_bootstrap, redis_url)
    camera = await worker.add_camera(**TIREDNESS_ON, context="workplace")
    async with listen(settings, TIREDNESS, TirednessEstimated) as tiredness:
        await worker.send(camera, 1)
        await until(lambda: bool(tiredness), "an answer")
    assert (tiredness[0].answer, tiredness[0].reason) == ("not_enough", "too_short")
    assert EMOTION_CLASSIFIER.name not in worker.models.asked
    assert worker.models.asked[EYELIDS.name] == 2
    assert await worker.kept_of(camera) == {"tiredness-state"}


async def test_a_shot_that_comes_again_changes_nothing(worker: RunningWorker) -> None:
    """A replay is not counted twice."""
    camera = await worker.add_camera(**EMOTION)
    shot = await worker.send(camera, 1)
    await until_kept(worker, camera, {"emotion-state", "emotion-counts"})
    await worker.send(camera, 1)
    other = await worker.send(camera, 1, track=2)
    minutes = {one.captured_at_ns // 10**9 // 60 for one in (shot, other)}

    async def counted() -> int:
        keys = [emotion_counts_key(camera.camera_id, 60, minute) for minute in minutes]
        return sum([int(await worker.redis.hget(key, "happy") or 0) for key in keys])

    async with asyncio.timeout(20):
        while await counted() < 2:
            await asyncio.sleep(0.02)
    assert await counted() == 2


async def test_how_somebody_usually_looks_is_learned_only_of_those_who_are_known(
    kafka_bootstrap: str, redis_url: str
) -> None:
    """With baselines on, from confirmed names; and nothing more of somebody who has been forgotten."""
    async with running_worker(kafka_bootstrap, redis_url, baselines=True, interval_seconds=0) as worker:
        camera = await worker.add_camera(**EMOTION)
        known, forgotten = f"ada-{camera.camera_id}", f"bob-{camera.camera_id}"
        for track, person_id, state in (
            (1, known, "confirmed"),
            (2, known, "provisional"),
            (3, forgotten, "confirmed"),
        ):
            decided = msgspec.structs.replace(
                SAMPLES["IdentityDecided"],
                camera_id=camera.camera_id, person_id=person_id, state=state,
            )  # fmt: skip
            await worker.redis.hset(
                track_key(f"{camera.camera_id}:1:{track}"), "identity", encode_event(decided)
            )
        await worker.redis.set(emotion_baseline_key(forgotten), b"", ex=60)
        for track in (1, 2, 3, 4):
            await worker.send(camera, 1, track=track)
        states = [emotion_state_key(f"{camera.camera_id}:1:{track}") for track in (1, 2, 3, 4)]
        async with asyncio.timeout(20):
            while await worker.redis.exists(*states) < len(states):
                await asyncio.sleep(0.02)
        learned = msgspec.msgpack.decode(
            await worker.redis.get(emotion_baseline_key(known)), type=EmotionBaseline
        )
        assert (learned.shots, learned.last_track_id) == (1, f"{camera.camera_id}:1:1")
        assert 0 < await worker.redis.ttl(emotion_baseline_key(known)) <= BASELINE_TTL_SECONDS
        assert await worker.redis.get(emotion_baseline_key(forgotten)) == b""


@pytest.fixture(scope="module")
def scene() -> NDArray[np.uint8]:
    """A 640x360 picture with one real face."""
    photo = read_rgb(next(iter(people().values()))["enroll"][0])
    picture = np.full((360, 640, 3), 96, np.uint8)
    picture[50 : 50 + photo.shape[0], 200 : 200 + photo.shape[1]] = photo
    return picture


async def test_detector_writes_a_face_only_while_it_may(
    kafka_bootstrap: str, redis_url: str, scene: NDArray[np.uint8]
) -> None:
    """Off for a whole run: not one message. On: messages. Off again while running: they end."""
    settings = detector_settings(kafka_bootstrap, redis_url)
    off = Camera(camera_id="policy-run", name="Door", url="rtsp://x", partition=0)
    later = Camera(camera_id="policy-later", name="Door", url="rtsp://x", partition=0, enabled=False)
    async with (
        listen(settings, EMOTION_FACES, FaceShot) as emotion,
        listen(settings, IDENTITY_FACES, FaceShot) as identity,
        listen(settings, TRACKS, TracksObserved) as tracks,
        camera_feed(settings, off) as feed,
        camera_feed(settings, later) as later_feed,
        running_detector(settings),
        connect_redis(settings.redis) as redis,
    ):

        def looked_at() -> int:
            return sum(one.camera_id == "policy-run" and bool(one.track_ids) for one in tracks)

        registry = CameraRegistry(redis, partitions=PARTITIONS)
        await feed.show(scene, lambda: len(identity) >= 3 and looked_at() >= 20, "twenty looks")
        assert emotion == []
        await registry.update("policy-run", EMOTION)
        await feed.show(scene, lambda: len(emotion) >= 2, "shots for emotion")
        await registry.update("policy-run", {"emotion_policy": "off"})
        # Whoever has noticed the next change has noticed this one.
        await registry.update("policy-later", {"enabled": True})
        await later_feed.show(
            scene, lambda: any(one.camera_id == "policy-later" for one in identity), "the other camera"
        )
        told, looks = len(emotion), looked_at()
        await feed.show(scene, lambda: looked_at() >= looks + 20, "twenty looks more")
        assert len(emotion) == told


async def until_kept(worker: RunningWorker, camera: Camera, kinds: set[str]) -> None:
    """Wait until Redis holds exactly these kinds of keys of a camera's people."""
    async with asyncio.timeout(20):
        while await worker.kept_of(camera) != kinds:
            await asyncio.sleep(0.02)
