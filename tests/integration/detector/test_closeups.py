"""Real faces that are small in a frame and large in its close-up, through a real detector and broker."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.cameras import Camera
from mien.contracts.events import FaceShot
from mien.contracts.shared_state import closeup_key
from mien.contracts.topics import IDENTITY_FACES
from mien.runtime.redis_connection import connect_redis
from mien.vision.jpeg import encode_jpeg_rgb
from services.detector.config import DetectorSettings
from tests.faces import people, read_rgb
from tests.integration.detector.harness import camera_feed, detector_settings, listen, running_detector


@pytest.fixture
def settings(kafka_bootstrap: str, redis_url: str) -> DetectorSettings:
    return detector_settings(kafka_bootstrap, redis_url)


@pytest.fixture(scope="module")
def main_picture() -> NDArray[np.uint8]:
    """A 1920x1080 picture with one real face, about 100 pixels wide, in front of something busy."""
    photo = read_rgb(next(iter(people().values()))["enroll"][0])
    noise = np.random.default_rng(1).normal(96, 25, (1080, 1920, 3))
    picture = noise.clip(0, 255).astype(np.uint8)
    picture[400 : 400 + photo.shape[0], 800 : 800 + photo.shape[1]] = photo
    return picture


def shrunk(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(picture, (640, 360), interpolation=cv2.INTER_AREA), dtype=np.uint8)


async def shots_of(
    settings: DetectorSettings, camera_id: str, picture: NDArray[np.uint8], closeup: NDArray[np.uint8] | None
) -> list[FaceShot]:
    """Show a picture with a close-up beside it until two shots have come."""
    camera = Camera(
        camera_id=camera_id,
        name=camera_id,
        url="rtsp://x",
        main_stream_url="rtsp://x/main",
        partition=0,
        min_face_px=20,
    )
    beside = {}
    if closeup is not None:
        beside = {
            "closeup_jpeg": encode_jpeg_rgb(closeup),
            "closeup_size_wh": (closeup.shape[1], closeup.shape[0]),
        }
    async with (
        listen(settings, IDENTITY_FACES, FaceShot) as shots,
        camera_feed(settings, camera) as feed,
        running_detector(settings),
        connect_redis(settings.redis) as redis,
    ):
        await feed.show(picture, lambda: len(shots) >= 2, "two shots", **beside)
        assert 0 < await redis.ttl(closeup_key(camera_id)) <= 3
    return shots


async def test_shots_from_the_main_stream_show_three_times_as_much(
    settings: DetectorSettings, main_picture: NDArray[np.uint8]
) -> None:
    """Eye distance grows with the picture, and with it the quality; a wish is told meanwhile.

    The frame with its close-up is larger than what is fetched of a partition at a time, and arrives all the
    same.
    """
    assert len(encode_jpeg_rgb(main_picture)) > settings.max_partition_fetch_bytes
    without = await shots_of(settings, "sub-only", shrunk(main_picture), None)
    with_closeup = await shots_of(settings, "sub-and-main", shrunk(main_picture), main_picture)
    assert with_closeup[0].quality.size_px == pytest.approx(3 * without[0].quality.size_px, rel=0.15)
    assert with_closeup[0].quality.score > without[0].quality.score + 0.2


async def test_a_closeup_without_the_face_or_of_another_view_is_not_used(
    settings: DetectorSettings, main_picture: NDArray[np.uint8]
) -> None:
    """The picture of a later moment, or a main stream in 4:3: the frame's own face is sent."""
    sub = shrunk(main_picture)
    gone = await shots_of(settings, "face-gone", sub, np.full_like(main_picture, 96))
    other = await shots_of(settings, "other-view", sub, np.ascontiguousarray(main_picture[:, 240:1680]))
    assert all(shot.quality.size_px < 25 for shot in (*gone, *other))
