"""Asking ingest about cameras that may not be registered, and hearing the answers."""

import asyncio
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from redis.exceptions import RedisError

from mien.contracts.camera_requests import (
    REQUEST_TTL_SECONDS,
    CameraReply,
    CameraRequest,
    CameraTested,
    CameraTestRequested,
)
from mien.contracts.topics import CAMERA_REQUESTS
from mien.errors import TransientError
from mien.runtime.camera_requests import RequestStore
from mien.runtime.event_loop import Received
from services.gateway.people import NotFoundError, new_id
from services.gateway.publisher import Publisher

_POLL_SECONDS: Final = 0.15
_TAKEN_UP_WITHIN_SECONDS: Final = 12.0
_NOBODY: Final = "no ingest service takes requests: see on the System page whether one runs"
_SILENCE: Final = "the answer did not come in time: try again"


@dataclass(frozen=True)
class Answers:
    """Answers that are new, and whether there will be others.

    Attributes:
        failure: Why there will be no answer, in words; empty while there may be, or when all came.
    """

    new: list[CameraReply]
    ended: bool
    failure: str = ""


class CameraQuestions:
    """Puts questions on Kafka, and keeps the answers in Redis until whoever asked has read them.

    With several gateways the answer reaches any of them, and the browser asks any of them.
    """

    def __init__(self, store: RequestStore, publisher: Publisher, *, partitions: int) -> None:
        self._store = store
        self._publisher = publisher
        self._partitions = partitions

    async def ask(self, request: CameraRequest) -> str:
        """Send a question on its way; returns the identifier to ask for its answers with.

        Raises:
            TransientError: The broker is away.
        """
        request_id = new_id()
        await self._store.put(request_id, request)
        event = CameraTestRequested(
            camera_id="", event_id=request_id, captured_at_ns=time.time_ns(), request_id=request_id
        )
        partition = zlib.crc32(request_id.encode()) % self._partitions
        await self._publisher.publish(CAMERA_REQUESTS, event, partition=partition)
        return request_id

    async def note(self, received: Sequence[Received[CameraReply]]) -> None:
        """Keep answers for whoever asked.

        Raises:
            TransientError: Redis is away.
        """
        try:
            for one in received:
                await self._store.add_reply(one.event)
        except (RedisError, OSError) as error:
            raise TransientError(f"keeping an answer: {type(error).__name__}") from error

    async def answers(self, request_id: str, *, seen: int, wait_seconds: float) -> Answers:
        """Return the answers after the first *seen*, as soon as there is one.

        Raises:
            NotFoundError: There is no such question any more.
        """
        until = time.monotonic() + wait_seconds
        while True:
            replies = await self._store.replies(request_id, seen=seen)
            if replies is None:
                raise NotFoundError("there is no such question any more: ask again")
            if replies.new:
                return Answers(replies.new, replies.ended)
            age_seconds = (time.time_ns() - replies.asked_at_ns) / 1e9
            if not replies.taken_up and age_seconds > _TAKEN_UP_WITHIN_SECONDS:
                return Answers([], ended=True, failure=_NOBODY)
            if age_seconds > REQUEST_TTL_SECONDS:
                return Answers([], ended=True, failure=_SILENCE)
            if time.monotonic() >= until:
                return Answers([], ended=False)
            await asyncio.sleep(_POLL_SECONDS)

    async def snapshot(self, request_id: str) -> bytes:
        """Return the picture that a test has taken, JPEG.

        Raises:
            NotFoundError: There is none, or none any more.
        """
        replies = await self._store.replies(request_id, seen=0)
        for reply in replies.new if replies else ():
            if isinstance(reply, CameraTested) and reply.snapshot_jpeg:
                return reply.snapshot_jpeg
        raise NotFoundError("this test has no picture (any more)")
