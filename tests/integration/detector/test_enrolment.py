"""The enrolment road through a real broker: a photo becomes a face to embed, or a reason why not."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.contracts.events import EnrolmentResult, FaceShot, PhotoRejected, PhotoSubmitted
from mien.contracts.topics import ENROLMENT_RESULTS, ENROLMENTS, IDENTITY_FACES
from mien.runtime.bus import open_event_producer, publish
from mien.vision.jpeg import encode_jpeg_rgb
from services.detector.config import DetectorSettings
from tests.faces import people, read_rgb, require_faces
from tests.integration.detector.harness import detector_settings, listen, running_detector, until


@pytest.fixture
def settings(kafka_bootstrap: str, redis_url: str) -> DetectorSettings:
    return detector_settings(kafka_bootstrap, redis_url)


def photo(photo_id: str, jpeg: bytes) -> PhotoSubmitted:
    return PhotoSubmitted(
        camera_id="",
        event_id=photo_id,
        captured_at_ns=1,
        photo_id=photo_id,
        person_id="ada",
        photo_jpeg=jpeg,
    )


def group_photo() -> bytes:
    """A photo of several people of like size."""
    folder = require_faces() / "detection" / "verified_groups" / "images"
    image = cv2.imread(str(next(iter(sorted(folder.glob("linzaer_12*"))))))
    return encode_jpeg_rgb(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8))


async def test_photos_are_answered_one_by_one(settings: DetectorSettings) -> None:
    """A portrait is passed on to be embedded; the others are refused, each with its reason."""
    portrait: Path = next(iter(people().values()))["enroll"][0]
    empty = encode_jpeg_rgb(np.full((200, 200, 3), 90, np.uint8))
    async with (
        listen(settings, IDENTITY_FACES, FaceShot) as shots,
        listen(settings, ENROLMENT_RESULTS, EnrolmentResult) as refused,
        open_event_producer(settings.kafka) as producer,
        running_detector(settings),
    ):
        for submitted in (
            photo("empty", empty),
            photo("broken", b"no picture"),
            photo("group", group_photo()),
            photo("portrait", encode_jpeg_rgb(read_rgb(portrait))),
        ):
            await publish(producer, ENROLMENTS, submitted, partition=2)
        await until(lambda: len(shots) >= 1 and len(refused) >= 3, "an answer to each photo")
    (shot,) = shots
    assert (shot.track_id, shot.person_id, shot.purpose) == ("portrait", "ada", "enrolment")
    reasons = {one.photo_id: one.reason for one in refused if isinstance(one, PhotoRejected)}
    assert reasons == {"empty": "no_face", "broken": "not_an_image", "group": "several_faces"}
    assert all(one.explanation for one in refused if isinstance(one, PhotoRejected))
