"""Asking a detector what enrolment would say of a live picture, and waiting a moment for the answer."""

import asyncio
import time
from collections import OrderedDict
from typing import Final
from uuid import uuid4

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from mien.contracts.events import FaceCheckRequested, derive_event_id
from mien.contracts.shared_state import FaceChecked, face_check_key
from mien.contracts.topics import FACE_CHECKS
from mien.errors import MienError, TransientError
from mien.runtime import metrics
from services.gateway.enrolment import photo_partition
from services.gateway.publisher import Publisher

_ANSWER_SECONDS: Final = 3
_REMEMBERED: Final = 1000
_CHECKED: Final = msgspec.msgpack.Decoder(FaceChecked)


class TooManyChecksError(MienError):
    """Pictures come faster than they may be judged; the words say what to do."""


class FaceChecks:
    """Has live pictures judged: so many at once, and so many a second of each guided enrolment."""

    def __init__(
        self, redis: Redis, publisher: Publisher, *, partitions: int, most_at_once: int, per_second: float
    ) -> None:
        self._redis = redis
        self._publisher = publisher
        self._partitions = partitions
        self._most_at_once = most_at_once
        self._least_seconds = 1 / per_second
        self._at_once = 0
        self._asked_at: OrderedDict[str, float] = OrderedDict()

    async def check(self, jpeg: bytes, *, session_id: str) -> FaceChecked:
        """Return what enrolment would say of a picture.

        Raises:
            TooManyChecksError: The session asks too often, or too many are judged at once.
            TransientError: Kafka, Redis or every detector is away, or too slow.
        """
        self._admit(session_id)
        self._at_once += 1
        try:
            return await self._ask(jpeg, session_id)
        finally:
            self._at_once -= 1

    def _admit(self, session_id: str) -> None:
        now = time.monotonic()
        if now - self._asked_at.get(session_id, float("-inf")) < self._least_seconds:
            metrics.DROPPED.labels("gateway", "face_check_too_soon").inc()
            raise TooManyChecksError(f"at most {1 / self._least_seconds:g} pictures a second are judged")
        if self._at_once >= self._most_at_once:
            metrics.DROPPED.labels("gateway", "face_checks_full").inc()
            raise TooManyChecksError("too many people are being enrolled at once; this goes on by itself")
        self._asked_at.pop(session_id, None)
        self._asked_at[session_id] = now
        while len(self._asked_at) > _REMEMBERED:
            self._asked_at.popitem(last=False)

    async def _ask(self, jpeg: bytes, session_id: str) -> FaceChecked:
        request_id = uuid4().hex
        request = FaceCheckRequested(
            camera_id="",
            event_id=derive_event_id("face-check", request_id),
            captured_at_ns=time.time_ns(),
            request_id=request_id,
            photo_jpeg=jpeg,
        )
        await self._publisher.publish(
            FACE_CHECKS, request, partition=photo_partition(session_id, self._partitions)
        )
        try:
            async with asyncio.timeout(_ANSWER_SECONDS + 1):
                answer = await self._redis.blpop([face_check_key(request_id)], timeout=_ANSWER_SECONDS)
        except (RedisError, OSError, TimeoutError) as error:
            raise TransientError("Redis does not answer: pictures can't be judged") from error
        if answer is None:
            raise TransientError("no detector answered in time: pictures can't be judged at the moment")
        return _CHECKED.decode(answer[1])
