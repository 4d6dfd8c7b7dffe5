"""Requests from Kafka and Redis, answered a few at a time; nobody who reads cameras waits for them."""

import asyncio
import time
from typing import Any, Final

import structlog
from redis.exceptions import RedisError

from mien.contracts.camera_requests import REQUEST_TTL_SECONDS, CameraReply, CameraTestRequested
from mien.contracts.events import decode_event
from mien.contracts.topics import CAMERA_REPLIES, CAMERA_REQUESTS
from mien.errors import PermanentError, TransientError
from mien.runtime import metrics
from mien.runtime.bus import commit, open_consumer, open_event_producer, publish
from mien.runtime.camera_requests import RequestStore
from mien.runtime.secrets import UndecipherableError
from mien.runtime.service import Service
from services.ingest.answering import Answerer
from services.ingest.config import IngestSettings

log = structlog.get_logger()

GROUP: Final = "mien.ingest.camera-requests"
_POLL_MS: Final = 500
_AT_ONCE: Final = 4
_MOST_WAITING: Final = 32
_MOST_REPLIES: Final = 1_024
"""Of one answer, while the broker is slow; twice what the longest, a search, tells."""


async def answer_requests(service: Service, settings: IngestSettings, store: RequestStore) -> None:
    """Answer what is asked until the service stops.

    A request is committed as soon as it is read: somebody waits in front of a screen, and asks again rather
    than be answered an hour later. What is too old or too much is dropped and counted.
    """
    async with (
        open_event_producer(settings.kafka) as producer,
        open_consumer(settings.kafka, CAMERA_REQUESTS, GROUP, offset_reset="latest") as consumer,
    ):
        desk = RequestDesk(settings, store, producer)
        try:
            while not service.stop.is_set():
                batches = await consumer.getmany(timeout_ms=_POLL_MS)
                for partition, records in batches.items():
                    for record in records:
                        desk.take_up(record.value, partition.partition)
                    await commit(consumer, {partition: records[-1].offset + 1})
        finally:
            await desk.close()


class RequestDesk:
    """Answers requests side by side: a few at once, a few more wait, the rest is dropped."""

    def __init__(self, settings: IngestSettings, store: RequestStore, producer: Any) -> None:
        self._answerer = Answerer(settings)
        self._store = store
        self._producer = producer
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def take_up(self, value: bytes | None, partition: int) -> None:
        """Begin to answer a request as it came from Kafka; replies go to the same partition."""
        try:
            event: CameraTestRequested = decode_event(value, CameraTestRequested)
        except PermanentError as error:
            self._drop("undecodable", str(error))
            return
        if time.time_ns() - event.captured_at_ns > REQUEST_TTL_SECONDS * 1e9:
            self._drop("stale", event.request_id)
        elif len(self._tasks) >= _AT_ONCE + _MOST_WAITING:
            self._drop("busy", event.request_id)
        else:
            task = asyncio.create_task(self._answer(event.request_id, partition))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is being answered."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, request_id: str, partition: int) -> None:
        async with self._slots:
            try:
                request = await self._store.take(request_id)
            except (RedisError, OSError) as error:
                self._drop("redis", type(error).__name__)
                return
            except UndecipherableError as error:
                self._drop("undecipherable", str(error))
                return
            if request is None:  # expired, or another replica has it
                self._drop("stale", request_id)
                return
            replies: asyncio.Queue[CameraReply | None] = asyncio.Queue(_MOST_REPLIES)
            sending = asyncio.create_task(self._send(replies, partition))

            def tell(reply: CameraReply) -> None:
                try:
                    replies.put_nowait(reply)
                except asyncio.QueueFull:
                    self._drop("reply_full", request_id)

            try:
                await self._answerer.answer(request_id, request, tell)
            except Exception as error:  # one request that brings out a defect must not end the service
                # No text of the error: it may hold the camera's password.
                log.error("camera_request.failed", request_id=request_id, error=type(error).__name__)
            finally:
                await replies.put(None)
                await sending

    async def _send(self, replies: "asyncio.Queue[CameraReply | None]", partition: int) -> None:
        while (reply := await replies.get()) is not None:
            try:
                await publish(self._producer, CAMERA_REPLIES, reply, partition=partition)
            except TransientError:  # whoever asked is told that nobody answered
                self._drop("reply_unsent", reply.request_id)

    @staticmethod
    def _drop(reason: str, what: str) -> None:
        metrics.DROPPED.labels("ingest", f"request_{reason}").inc()
        log.info("camera_request.dropped", reason=reason, what=what[:200])
