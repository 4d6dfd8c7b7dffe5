"""The enrolment road: a photo in, the face it is about out, or the reason why not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import structlog
from aiokafka import AIOKafkaProducer
from numpy.typing import NDArray

from mien.contracts.events import FaceShot, PhotoRejected, PhotoSubmitted, RejectionReason, derive_event_id
from mien.contracts.topics import ENROLMENT_RESULTS, IDENTITY_FACES
from mien.runtime.bus import publish
from mien.runtime.event_loop import Received
from mien.vision.boxes import box_areas
from mien.vision.jpeg import ImageError, decode_jpeg_rgb
from mien.vision.quality import FaceQuality, assess_face
from services.detector.crops import cut_face
from services.detector.detection import Detections, FaceDetector
from services.detector.outgoing import as_contract

log = structlog.get_logger()

_MAX_SIDE_PX = 1600
_MIN_FACES_PX = (40, 20)
"""Tried in this order: small faces cost more, and bring the faces in the background with them."""
_CLEARLY_LARGEST = 2.0
# Where recognition becomes guesswork, see mien.vision.quality; far below what a good photo has.
_MIN_EYE_DISTANCE_PX = 16.0
_MIN_SHARPNESS = 10.0
_MAX_YAW = 0.7


class Rejection(Exception):  # noqa: N818 - an answer to the person who uploaded, not a failure of ours
    """A photo can't become a template."""

    def __init__(self, reason: RejectionReason, explanation: str) -> None:
        super().__init__(explanation)
        self.reason: RejectionReason = reason
        self.explanation = explanation


@dataclass(frozen=True, eq=False)
class EnrolledFace:
    """The face a picture is about: box (4,) and landmarks (5, 2) in its pixels, and how many faces it has."""

    box_xyxy: NDArray[np.float32]
    landmarks_xy: NDArray[np.float32]
    quality: FaceQuality
    faces: int


class EnrolmentRoad:
    """Finds and judges the face of each photo; its detector is its own, so that video does not wait."""

    def __init__(self, detector: FaceDetector, producer: AIOKafkaProducer) -> None:
        self._detector = detector
        self._producer = producer

    async def handle(self, received: Sequence[Received[PhotoSubmitted]]) -> None:
        """Work on photos; an answer's id is derived from the photo, so a repeated one changes nothing."""
        for one in received:
            answer = await asyncio.to_thread(examine_photo, one.event, self._detector)
            if isinstance(answer, PhotoRejected):
                log.info("photo.rejected", photo_id=answer.photo_id, reason=answer.reason)
            topic = ENROLMENT_RESULTS if isinstance(answer, PhotoRejected) else IDENTITY_FACES
            await publish(self._producer, topic, answer, partition=one.partition)


def examine_photo(photo: PhotoSubmitted, detector: FaceDetector) -> FaceShot | PhotoRejected:
    """Return the face that a photo is about, as a shot for enrolment, or why there is none."""
    try:
        return _shot_of(photo, detector)
    except Rejection as rejection:
        return PhotoRejected(
            camera_id=photo.camera_id,
            event_id=derive_event_id(photo.photo_id, "rejected"),
            captured_at_ns=photo.captured_at_ns,
            trace=photo.trace,
            photo_id=photo.photo_id,
            person_id=photo.person_id,
            reason=rejection.reason,
            explanation=rejection.explanation,
        )


def _shot_of(photo: PhotoSubmitted, detector: FaceDetector) -> FaceShot:
    try:
        image = limited(decode_jpeg_rgb(photo.photo_jpeg))
    except ImageError as error:
        raise Rejection("not_an_image", f"The file could not be read as a picture: {error}.") from error
    face = find_face(image, detector)
    require_usable(face.quality)
    crop = cut_face(image, face.box_xyxy, face.landmarks_xy)
    return FaceShot(
        camera_id=photo.camera_id,
        event_id=derive_event_id(photo.photo_id, "enrolment"),
        captured_at_ns=photo.captured_at_ns,
        trace=photo.trace,
        track_id=photo.photo_id,
        frame_id="",
        shot_number=1,
        crop_jpeg=crop.jpeg,
        box_xyxy=crop.box_xyxy,
        landmarks_xy=crop.landmarks_xy,
        quality=as_contract(face.quality),
        purpose="enrolment",
        person_id=photo.person_id,
    )


def limited(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale a picture, shape (H, W, 3), down to the size that photos are searched at."""
    height, width = image.shape[:2]
    scale = _MAX_SIDE_PX / max(height, width)
    if scale >= 1:
        return image
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def find_face(image: NDArray[np.uint8], detector: FaceDetector) -> EnrolledFace:
    """Return the face that a picture, shape (H, W, 3), is about, with its measures.

    Raises:
        Rejection: There is none, or it is not clear which.
    """
    found, row = _choose(image, detector)
    box = found.boxes_xyxy[row]
    landmarks = detector.look_again(image, box[None])[0]
    quality = assess_face(image, box, landmarks, float(found.scores[row]))
    return EnrolledFace(box, landmarks, quality, faces=len(found))


def _choose(image: NDArray[np.uint8], detector: FaceDetector) -> tuple[Detections, int]:
    """Return the faces of the first size that has any, and the row of the one the photo is about."""
    for min_face_px in _MIN_FACES_PX:
        found = detector.detect(image, min_face_px)
        if len(found):
            break
    else:
        size = f"{image.shape[1]}x{image.shape[0]}"
        raise Rejection(
            "no_face", f"Expected a face of at least {_MIN_FACES_PX[-1]} pixels, found none in {size}."
        )
    areas = box_areas(found.boxes_xyxy)
    order = np.argsort(-areas)
    if len(order) > 1 and areas[order[0]] < _CLEARLY_LARGEST * areas[order[1]]:
        raise Rejection(
            "several_faces",
            f"Expected one face, or one that is clearly the largest; found {len(order)} of like size. "
            "Crop the photo to the person.",
        )
    return found, int(order[0])


def require_usable(quality: FaceQuality) -> None:
    """Refuse a face that can't become a template.

    Raises:
        Rejection: It is too small, turned away or blurred.
    """
    if quality.size_px < _MIN_EYE_DISTANCE_PX:
        raise Rejection(
            "too_small",
            f"Expected eyes {_MIN_EYE_DISTANCE_PX:.0f} pixels apart or more, got {quality.size_px:.0f}.",
        )
    if abs(quality.yaw) > _MAX_YAW:
        raise Rejection("turned_away", "Expected a face that looks at the camera, got one turned sideways.")
    if quality.sharpness < _MIN_SHARPNESS:
        raise Rejection(
            "blurred",
            f"Expected a face of sharpness {_MIN_SHARPNESS:.0f} or more, got {quality.sharpness:.0f}.",
        )
