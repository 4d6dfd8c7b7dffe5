"""The live road through a real broker: real faces in, shots out, and nothing stops for bad input."""

import asyncio

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from prometheus_client import REGISTRY

from mien.contracts.cameras import Camera
from mien.contracts.events import DeadLetter, FaceShot, TrackEnded, TrackEvent, TracksObserved, TrackStarted
from mien.contracts.shared_state import Preview, preview_channel, watch_key
from mien.contracts.topics import DEAD_LETTERS, EMOTION_FACES, IDENTITY_FACES, TRACK_EVENTS, TRACKS
from mien.runtime.cameras import CameraRegistry
from mien.runtime.redis_connection import connect_redis
from mien.vision.jpeg import decode_jpeg_rgb
from services.detector.config import DetectorSettings
from tests.faces import people, read_rgb
from tests.integration.detector.harness import (
    CameraFeed,
    camera_feed,
    detector_settings,
    listen,
    running_detector,
    until,
)


@pytest.fixture
def settings(kafka_bootstrap: str, redis_url: str) -> DetectorSettings:
    return detector_settings(kafka_bootstrap, redis_url)


@pytest.fixture(scope="module")
def scene() -> NDArray[np.uint8]:
    """A 640x360 picture with one real face."""
    photo = read_rgb(next(iter(people().values()))["enroll"][0])
    picture = np.full((360, 640, 3), 96, np.uint8)
    picture[50 : 50 + photo.shape[0], 200 : 200 + photo.shape[1]] = photo
    return picture


def camera(camera_id: str, **fields: object) -> Camera:
    return Camera(**({"camera_id": camera_id, "name": camera_id, "url": "rtsp://x", "partition": 0} | fields))  # type: ignore[arg-type]


async def test_a_face_becomes_a_track_and_a_shot(
    settings: DetectorSettings, scene: NDArray[np.uint8]
) -> None:
    """A face that is shown starts one track, sends crops that can be decoded, and ends with the detector."""
    async with (
        listen(settings, IDENTITY_FACES, FaceShot) as shots,
        listen(settings, TRACK_EVENTS, TrackEvent) as changes,
        listen(settings, TRACKS, TracksObserved) as tracks,
        camera_feed(settings, camera("track-one")) as feed,
        running_detector(settings),
    ):
        await feed.show(scene, lambda: len(shots) >= 2, "two shots")
        await until(lambda: bool(changes) and any(seen.track_ids for seen in tracks), "the track")
    started = [change for change in changes if isinstance(change, TrackStarted)]
    assert [change.track_id for change in started] == [shots[0].track_id]
    assert [shot.shot_number for shot in shots[:2]] == [1, 2]
    crop = decode_jpeg_rgb(shots[0].crop_jpeg)
    assert max(crop.shape[:2]) <= 256
    left, top, right, bottom = shots[0].box_xyxy
    assert 0 <= left < right <= crop.shape[1]
    assert 0 <= top < bottom <= crop.shape[0]
    ended = [change for change in changes if isinstance(change, TrackEnded)]
    assert [(change.track_id, change.identity_shots >= 2) for change in ended] == [(shots[0].track_id, True)]


async def test_broken_frames_are_buried_and_the_rest_goes_on(
    settings: DetectorSettings, scene: NDArray[np.uint8]
) -> None:
    """A JPEG that does not decode is a dead letter without pixels; the camera's next frames are worked on."""
    async with (
        listen(settings, DEAD_LETTERS, DeadLetter) as letters,
        listen(settings, IDENTITY_FACES, FaceShot) as shots,
        camera_feed(settings, camera("broken-frames")) as feed,
        running_detector(settings),
    ):
        await feed.send(scene, jpeg=b"\xff\xd8 this is no picture")
        await until(lambda: bool(letters), "a dead letter")
        await feed.show(scene, lambda: bool(shots), "a shot after the broken frame")
    assert (letters[0].camera_id, letters[0].value_bytes) == ("broken-frames", 21)
    assert "expected a JPEG" in letters[0].error


@pytest.mark.parametrize(
    ("policy", "expects_emotion"), [("off", False), ("per_person", True), ("aggregate", True)]
)
async def test_emotion_shots_only_where_the_policy_allows(
    settings: DetectorSettings, scene: NDArray[np.uint8], policy: str, expects_emotion: bool
) -> None:
    """A camera's faces reach the emotion topic only if its policy says so; identity goes on either way."""
    async with (
        listen(settings, EMOTION_FACES, FaceShot) as emotion,
        listen(settings, IDENTITY_FACES, FaceShot) as identity,
        camera_feed(
            settings,
            camera(
                f"policy-{policy}".replace("_", "-"), emotion_policy=policy, emotion_purpose="usability study"
            ),
        ) as feed,
        running_detector(settings),
    ):
        await feed.show(scene, lambda: len(identity) >= 3 and (bool(emotion) or not expects_emotion), "shots")
    assert bool(emotion) is expects_emotion
    assert {shot.purpose for shot in emotion} <= {"emotion"}


async def test_no_shot_where_identity_is_off(settings: DetectorSettings, scene: NDArray[np.uint8]) -> None:
    """Where nobody may be recognised, faces are followed and boxed, and none is sent on."""
    async with (
        listen(settings, IDENTITY_FACES, FaceShot) as shots,
        listen(settings, TRACKS, TracksObserved) as tracks,
        camera_feed(settings, camera("nameless", identity_policy="off")) as feed,
        running_detector(settings),
    ):
        await feed.show(scene, lambda: sum(bool(seen.track_ids) for seen in tracks) >= 10, "ten boxes")
    assert shots == []


async def test_what_is_not_done_is_counted(settings: DetectorSettings, scene: NDArray[np.uint8]) -> None:
    """Looks that went to the expected face only, views not sent, frames not looked at: each has its count."""

    def count(reason: str) -> float:
        labels = {"stage": "detector", "reason": reason}
        return REGISTRY.get_sample_value("mien_skipped_total", labels) or 0.0

    reasons = ("looked_near", "sampled_lately", "no_better_view", "still")
    before = {reason: count(reason) for reason in reasons}
    moving = reasons[:3]
    async with camera_feed(settings, camera("frugal")) as feed, running_detector(settings):
        await feed.show(scene, lambda: all(count(reason) > before[reason] for reason in moving), "savings")
        assert count("still") == before["still"]
        await feed.show(scene, lambda: count("still") > before["still"], "frames not looked at", still=True)


async def test_a_preview_only_while_somebody_watches(
    settings: DetectorSettings, scene: NDArray[np.uint8]
) -> None:
    """A watched camera's frames come with their own boxes on Redis; an unwatched one's don't."""
    async with (
        camera_feed(settings, camera("watched")) as feed,
        connect_redis(settings.redis) as redis,
        running_detector(settings),
        redis.pubsub() as channel,
    ):
        await channel.subscribe(preview_channel("watched"))
        seen: list[Preview] = []
        collecting = asyncio.create_task(_collect_previews(channel, seen))
        await _show_unwatched(feed, scene, settings)
        assert seen == []
        await redis.set(watch_key("watched"), b"1", ex=30)
        await feed.show(scene, lambda: any(one.track_ids for one in seen), "a preview with a box")
        collecting.cancel()
    shown = next(one for one in seen if one.track_ids)
    assert (shown.camera_id, shown.size_wh) == ("watched", (640, 360))
    assert len(shown.boxes_xyxy) == len(shown.track_ids) == len(shown.scores)
    assert decode_jpeg_rgb(shown.jpeg).shape == (360, 640, 3)


async def test_old_frames_are_not_looked_at(settings: DetectorSettings, scene: NDArray[np.uint8]) -> None:
    """Stale frames and frames of an older epoch come to nothing; fresh ones do."""
    async with (
        listen(settings, TRACKS, TracksObserved) as tracks,
        camera_feed(settings, camera("late")) as feed,
        running_detector(settings),
    ):
        stale = await feed.send(scene, epoch=5, age_seconds=20)
        fresh = await feed.send(scene, epoch=5)
        await until(lambda: fresh.frame_id in [seen.frame_id for seen in tracks], "the fresh frame")
        zombie = await feed.send(scene, epoch=4)
        last = await feed.send(scene, epoch=5)
        await until(lambda: last.frame_id in [seen.frame_id for seen in tracks], "the last frame")
    assert not {stale.frame_id, zombie.frame_id} & {seen.frame_id for seen in tracks}


async def test_tracks_end_when_a_camera_is_switched_off(
    settings: DetectorSettings, scene: NDArray[np.uint8]
) -> None:
    """Disabling a camera ends its tracks within seconds, without another frame."""
    async with (
        listen(settings, TRACK_EVENTS, TrackEvent) as changes,
        camera_feed(settings, camera("switched-off")) as feed,
        connect_redis(settings.redis) as redis,
        running_detector(settings),
    ):
        await feed.show(scene, lambda: bool(changes), "a track")
        await CameraRegistry(redis, partitions=4).update("switched-off", {"enabled": False})
        await until(lambda: any(isinstance(change, TrackEnded) for change in changes), "its end")


async def _show_unwatched(feed: CameraFeed, scene: NDArray[np.uint8], settings: DetectorSettings) -> None:
    async with listen(settings, TRACKS, TracksObserved) as tracks:
        await feed.show(scene, lambda: len(tracks) >= 10, "ten frames")


async def _collect_previews(channel: object, seen: list[Preview]) -> None:
    async for message in channel.listen():  # type: ignore[attr-defined]
        if message["type"] == "message":
            seen.append(msgspec.msgpack.decode(message["data"], type=Preview))  # noqa: PERF401 - it never ends


async def test_another_detector_takes_over(settings: DetectorSettings, scene: NDArray[np.uint8]) -> None:
    """When one of two detectors leaves, its cameras go on at the other, under tracks of a later epoch."""
    async with (
        listen(settings, TRACKS, TracksObserved) as tracks,
        camera_feed(settings, camera("shared-a")) as first,
        camera_feed(settings, camera("shared-b")) as second,
        running_detector(settings),
    ):

        def seen_since(start: int) -> set[str]:
            return {track_id for one in tracks[start:] for track_id in one.track_ids}

        def both_seen_since(start: int) -> bool:
            return {track_id.split(":")[0] for track_id in seen_since(start)} == {"shared-a", "shared-b"}

        async with running_detector(settings):
            showing = asyncio.create_task(second.show(scene, lambda: both_seen_since(0), "both cameras"))
            await first.show(scene, lambda: both_seen_since(0), "both cameras")
            await showing
        before = len(tracks)
        showing = asyncio.create_task(second.show(scene, lambda: both_seen_since(before), "both again"))
        await first.show(scene, lambda: both_seen_since(before), "both again")
        await showing
    epochs = {tuple(track_id.split(":")[:2]) for track_id in seen_since(0)}
    assert len(epochs) >= 3
