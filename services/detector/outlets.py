"""Where the detector's findings go: what may be lost, what must not, and what only a viewer sees."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from mien.contracts.events import Event, FaceShot, TrackEnded, TracksObserved, TrackStarted, encode_event
from mien.contracts.shared_state import (
    CLOSEUP_TTL_SECONDS,
    Preview,
    closeup_key,
    preview_channel,
    watch_key,
)
from mien.contracts.topics import EMOTION_FACES, IDENTITY_FACES, TRACK_EVENTS, TRACKS, Topic
from mien.errors import TransientError
from mien.runtime import metrics
from mien.runtime.bus import RETRY_SECONDS, publish
from mien.runtime.service import Service, wait_or_stop
from services.detector.camera_records import CameraRecords

log = structlog.get_logger()

WATCH_POLL_SECONDS = 0.5
_REDIS_TIMEOUT_SECONDS = 0.25
_WISH_SECONDS = 1.0


class EventOutlet:
    """Publishes track events and shots until the broker has them; tracks of single frames only once."""

    def __init__(self, service: Service, *, events: AIOKafkaProducer, droppable: AIOKafkaProducer) -> None:
        self._service = service
        self._events = events
        self._droppable = droppable

    async def observed(self, tracks: TracksObserved, *, partition: int) -> None:
        """Send where the tracks of a frame are, without waiting whether it arrives."""
        try:
            delivery = await self._droppable.send(
                TRACKS.name, encode_event(tracks), key=tracks.camera_id.encode(), partition=partition
            )
        except (KafkaError, OSError):
            metrics.DROPPED.labels("detector", "tracks_unsent").inc()
        else:
            delivery.add_done_callback(_count_lost)

    async def changed(
        self, changes: Sequence[TrackStarted | TrackEnded], shots: Sequence[FaceShot], *, partition: int
    ) -> None:
        """Publish what must not be lost, trying again until the broker has it or the service stops."""
        outgoing: list[tuple[Topic, Event]] = [(TRACK_EVENTS, change) for change in changes]
        outgoing += [
            (IDENTITY_FACES if shot.purpose == "identity" else EMOTION_FACES, shot) for shot in shots
        ]
        while outgoing:
            results = await asyncio.gather(
                *(publish(self._events, topic, event, partition=partition) for topic, event in outgoing),
                return_exceptions=True,
            )
            failed = [
                (one, result) for one, result in zip(outgoing, results, strict=True) if result is not None
            ]
            for _, result in failed:
                if not isinstance(result, TransientError):
                    raise result
            outgoing = [one for one, _ in failed]
            if not outgoing:
                break
            self._service.health.report("publishing", str(failed[0][1]))
            log.warning("detector.publish_failed", events=len(outgoing), error=str(failed[0][1]))
            if await wait_or_stop(self._service.stop, RETRY_SECONDS):
                metrics.DROPPED.labels("detector", "unpublished_at_stop").inc(len(outgoing))
                return
        self._service.health.resolve("publishing")
        for shot in shots:
            metrics.SHOTS.labels(shot.purpose).inc()


class PreviewOutlet:
    """Shows frames to whoever watches, and knows which cameras those are."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._watched: set[str] = set()

    def is_watched(self, camera_id: str) -> bool:
        """Whether somebody watches a camera."""
        return camera_id in self._watched

    async def show(self, preview: Preview) -> None:
        """Publish a frame with its boxes; one that Redis doesn't take soon is dropped."""
        try:
            message = msgspec.msgpack.encode(preview)
            channel = preview_channel(preview.camera_id)
            await asyncio.wait_for(self._redis.publish(channel, message), _REDIS_TIMEOUT_SECONDS)
        except (RedisError, OSError, TimeoutError):
            metrics.DROPPED.labels("detector", "preview_unsent").inc()

    async def refresh(self, camera_ids: Iterable[str]) -> None:
        """Ask once for all cameras whether somebody watches them."""
        asked = sorted(camera_ids)
        if not asked:
            self._watched = set()
            return
        try:
            marks = await self._redis.mget([watch_key(camera_id) for camera_id in asked])
        except (RedisError, OSError) as error:
            log.debug("detector.watch_unknown", error=str(error))
            return
        self._watched = {camera_id for camera_id, mark in zip(asked, marks, strict=True) if mark}


class CloseupWishes:
    """Tells ingest of which cameras close-ups are wanted, by marks that expire unless they are renewed."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._wished_at: dict[str, float] = {}

    async def wish(self, camera_id: str) -> None:
        """Ask for a camera's close-ups for the next seconds; asked often, Redis hears of it once a second."""
        now = time.monotonic()
        if now - self._wished_at.get(camera_id, -CLOSEUP_TTL_SECONDS) < _WISH_SECONDS:
            return
        self._wished_at[camera_id] = now
        try:
            mark = self._redis.set(closeup_key(camera_id), b"1", ex=CLOSEUP_TTL_SECONDS)
            await asyncio.wait_for(mark, _REDIS_TIMEOUT_SECONDS)
        except (RedisError, OSError, TimeoutError) as error:
            log.debug("detector.wish_unheard", camera_id=camera_id, error=str(error))

    def forget(self, camera_id: str) -> None:
        """Drop what is known of a camera that is gone."""
        self._wished_at.pop(camera_id, None)


@dataclass(frozen=True)
class Outlets:
    """All of them, with what adds up per camera."""

    events: EventOutlet
    previews: PreviewOutlet
    wishes: CloseupWishes
    records: CameraRecords


def _count_lost(delivery: "asyncio.Future[object]") -> None:
    if delivery.cancelled() or delivery.exception() is not None:
        metrics.DROPPED.labels("detector", "tracks_unsent").inc()
