"""What enrolment would say of a picture, while somebody still sits in front of the camera.

Detector, choice of the face and limits are those of photos: what passes here passes there.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from mien.contracts.events import FaceCheckRequested
from mien.contracts.shared_state import FaceChecked, face_check_key
from mien.runtime import metrics
from mien.runtime.event_loop import Received
from mien.vision.jpeg import ImageError, decode_jpeg_rgb
from services.detector.detection import FaceDetector
from services.detector.enrolment import Rejection, find_face, limited, require_usable

log = structlog.get_logger()

_MAX_AGE_SECONDS: Final = 2.0
"""Whoever asked has given up by then."""
_MAX_PIXELS: Final = 4_000_000
_ANSWER_TTL_SECONDS: Final = 5


class FaceCheckRoad:
    """Answers requests in the order they come; stale ones are dropped and counted."""

    def __init__(self, detector: FaceDetector, redis: Redis) -> None:
        """Take a detector of its own, so that neither video nor photos wait."""
        self._detector = detector
        self._redis = redis

    async def handle(self, received: Sequence[Received[FaceCheckRequested]]) -> None:
        """Answer each request; an answer that Redis doesn't take is lost, as is what was live."""
        for one in received:
            request = one.event
            if time.time_ns() - request.captured_at_ns > _MAX_AGE_SECONDS * 1e9:
                metrics.DROPPED.labels("detector", "stale_face_check").inc()
                continue
            checked = await asyncio.to_thread(check_face, request, self._detector)
            key = face_check_key(request.request_id)
            try:
                async with self._redis.pipeline(transaction=True) as pipe:
                    pipe.rpush(key, msgspec.msgpack.encode(checked))
                    pipe.expire(key, _ANSWER_TTL_SECONDS)
                    await pipe.execute()
            except (RedisError, OSError) as error:
                metrics.DROPPED.labels("detector", "face_check_unsent").inc()
                log.warning("face_check.answer_lost", error=type(error).__name__)


def check_face(request: FaceCheckRequested, detector: FaceDetector) -> FaceChecked:
    """Return what enrolment would say of a picture, with the face and its measures where there is one."""
    try:
        original = decode_jpeg_rgb(request.photo_jpeg, max_pixels=_MAX_PIXELS)
    except ImageError as error:
        return FaceChecked(
            request_id=request.request_id,
            reason="not_an_image",
            explanation=f"The picture could not be read: {error}.",
        )
    image = limited(original)
    size_wh = (original.shape[1], original.shape[0])
    try:
        face = find_face(image, detector)
    except Rejection as rejection:
        return FaceChecked(
            request_id=request.request_id,
            size_wh=size_wh,
            faces=0 if rejection.reason == "no_face" else 2,
            reason=rejection.reason,
            explanation=rejection.explanation,
        )
    quality = face.quality
    box = face.box_xyxy * np.float32(size_wh[0] / image.shape[1])
    checked = FaceChecked(
        request_id=request.request_id,
        size_wh=size_wh,
        faces=face.faces,
        box_xyxy=(float(box[0]), float(box[1]), float(box[2]), float(box[3])),
        face_px=float((box[2:] - box[:2]).max()),
        score=quality.score,
        sharpness=quality.sharpness,
        yaw=quality.yaw,
        pitch=quality.pitch,
        brightness=quality.brightness,
    )
    try:
        require_usable(quality)
    except Rejection as rejection:
        return msgspec.structs.replace(checked, reason=rejection.reason, explanation=rejection.explanation)
    return checked
