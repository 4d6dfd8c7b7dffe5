"""The live feed of a process: one Redis subscription to exactly what its viewers watch."""

import asyncio
import time
from collections.abc import Iterable
from typing import Final

import msgspec
import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from mien.contracts.camera_status import CameraStatus
from mien.contracts.live import CamerasChanged, CameraUpdate
from mien.contracts.shared_state import (
    CAMERA_STATUS_CHANNEL,
    CAMERA_STATUS_TTL_SECONDS,
    WATCH_TTL_SECONDS,
    Preview,
    TrackResult,
    preview_channel,
    results_channel,
    watch_key,
)
from mien.runtime import metrics
from mien.runtime.cameras import CameraDirectory, CameraRegistry
from mien.runtime.service import Service
from services.gateway.hub import FrameMessage, Hub
from services.gateway.merge import TrackStore
from services.gateway.names import PEOPLE_CHANGED_CHANNEL, Names
from services.gateway.pause import wait_at_most
from services.gateway.pipeline import live_frame
from services.gateway.track_memory import TrackMemory

log = structlog.get_logger()

_ALWAYS: Final = frozenset({CAMERA_STATUS_CHANNEL, PEOPLE_CHANGED_CHANNEL})
_PREVIEW_PREFIX: Final = preview_channel("")
_RESULTS_PREFIX: Final = results_channel("")
# How soon a new viewer is subscribed. A subscription belongs to one task: two that talk to it at once
# would both try to mend it when Redis goes away.
_POLL_SECONDS: Final = 0.05
_RECONNECT_SECONDS: Final = 1.0
_RENEW_SECONDS: Final = WATCH_TTL_SECONDS / 2.5


class LiveFeed:
    """Brings previews, results and statuses from Redis to the hub; never waits for a viewer."""

    def __init__(
        self,
        redis: Redis,
        hub: Hub,
        tracks: TrackStore,
        *,
        directory: CameraDirectory,
        registry: CameraRegistry,
        names: Names,
    ) -> None:
        self._redis = redis
        self._hub = hub
        self._tracks = tracks
        self._directory = directory
        self._registry = registry
        self._names = names
        self._memory = TrackMemory()
        self._status_heard_at: dict[str, float] = {}
        self._watch_changed = asyncio.Event()
        self._missing: set[str] = set()
        self._load_wanted = asyncio.Event()
        self._names_changed = asyncio.Event()
        self._preview = msgspec.msgpack.Decoder(Preview)
        self._result = msgspec.msgpack.Decoder(TrackResult)
        self._status = msgspec.json.Decoder(CameraStatus)
        hub.on_change(self._watch_changed.set)

    async def run(self, service: Service) -> None:
        """Feed the hub until cancelled; a lost Redis is connected again.

        Each loop looks at ``service.stop`` besides: redis-py, too, waits in a way that can swallow a
        cancellation (see :mod:`services.gateway.pause`).
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_reading(service))
            group.create_task(self._renew_watches(service))
            group.create_task(self._load_tracks(service))
            group.create_task(self._follow_names(service))
            group.create_task(self._follow_cameras(service))

    async def _keep_reading(self, service: Service) -> None:
        while not service.stop.is_set():
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    await self._read(service, subscription)
            except (RedisError, OSError) as error:
                service.health.report("live", f"the live feed lost Redis: {type(error).__name__}")
                log.warning("feed.connection_lost", error=type(error).__name__)
                # Results may be missed from here on: what is shown is loaded again.
                self._memory.keep_only(())
                await asyncio.sleep(_RECONNECT_SECONDS)

    async def _read(self, service: Service, subscription: PubSub) -> None:
        subscribed: frozenset[str] = frozenset()
        while not service.stop.is_set():
            wanted = _ALWAYS | _channels_of(self._hub.watched)
            if gone := subscribed - wanted:
                await subscription.unsubscribe(*gone)
                self._memory.keep_only(self._hub.watched)
            if new := wanted - subscribed:
                await subscription.subscribe(*new)
                service.health.resolve("live")
            subscribed = wanted
            message = await subscription.get_message(timeout=_POLL_SECONDS)
            if message is not None:
                self._dispatch(message["channel"].decode(), message["data"])
                # A full buffer would be read without ever letting anybody else run.
                await asyncio.sleep(0)

    def _dispatch(self, channel: str, data: bytes) -> None:
        try:
            if channel.startswith(_PREVIEW_PREFIX):
                self._show(self._preview.decode(data))
            elif channel.startswith(_RESULTS_PREFIX):
                self._memory.add(self._result.decode(data))
            elif channel == CAMERA_STATUS_CHANNEL:
                self._show_status(self._status.decode(data))
            else:
                self._names_changed.set()
        except msgspec.MsgspecError as error:
            metrics.DROPPED.labels("gateway", "malformed").inc()
            log.warning("feed.message_refused", channel=channel, error=str(error))

    def _show(self, preview: Preview) -> None:
        if unknown := self._memory.meet(preview.camera_id, preview.track_ids):
            self._missing.update(unknown)
            self._load_wanted.set()
        frame = live_frame(
            preview,
            self._memory.results_of(preview.camera_id),
            who=self._names.known,
            camera=self._directory.get(preview.camera_id),
            now_ns=time.time_ns(),
        )
        self._hub.send_frame(FrameMessage(frame, preview.jpeg))

    def _show_status(self, status: CameraStatus) -> None:
        self._status_heard_at[status.camera_id] = time.monotonic()
        self._hub.send_text(
            ("camera", status.camera_id), msgspec.json.encode(CameraUpdate(status=status)).decode()
        )

    def _show_silent_cameras(self) -> None:
        """Say that nobody looks after a camera whose status has not been heard for its lifetime."""
        deadline = time.monotonic() - CAMERA_STATUS_TTL_SECONDS
        for camera_id, heard_at in list(self._status_heard_at.items()):
            if heard_at < deadline:
                del self._status_heard_at[camera_id]
                status = CameraStatus(camera_id=camera_id, state="unassigned", since_ns=time.time_ns())
                text = msgspec.json.encode(CameraUpdate(status=status)).decode()
                self._hub.send_text(("camera", camera_id), text)

    async def _renew_watches(self, service: Service) -> None:
        while not service.stop.is_set():
            self._watch_changed.clear()
            try:
                async with self._redis.pipeline(transaction=False) as pipe:
                    for camera_id in self._hub.watched:
                        pipe.set(watch_key(camera_id), b"1", ex=WATCH_TTL_SECONDS)
                    await pipe.execute()
            except (RedisError, OSError) as error:
                log.warning("feed.renew_failed", error=type(error).__name__)
                await asyncio.sleep(_RECONNECT_SECONDS)
            self._show_silent_cameras()
            await wait_at_most(self._watch_changed, _RENEW_SECONDS)

    async def _load_tracks(self, service: Service) -> None:
        """Load what was merged of tracks that began before anybody watched."""
        while not service.stop.is_set():
            await self._load_wanted.wait()
            self._load_wanted.clear()
            missing, self._missing = list(self._missing), set()
            try:
                for result in await self._tracks.load_results(missing):
                    self._memory.add(result)
            except msgspec.MsgspecError as error:
                metrics.DROPPED.labels("gateway", "malformed").inc()
                log.warning("feed.load_refused", tracks=len(missing), error=str(error))
            except (RedisError, OSError) as error:
                log.warning("feed.load_failed", tracks=len(missing), error=type(error).__name__)
                self._memory.meet_anew(missing)
                await asyncio.sleep(_RECONNECT_SECONDS)

    async def _follow_names(self, service: Service) -> None:
        while not service.stop.is_set():
            # Also without a notice, for one may have been lost with the connection.
            self._names_changed.clear()
            await self._names.refresh()
            await wait_at_most(self._names_changed, 15.0)

    async def _follow_cameras(self, service: Service) -> None:
        while not service.stop.is_set():
            await self._directory.changed.wait()
            self._directory.changed.clear()
            try:
                generation = await self._registry.generation()
            except (RedisError, OSError):
                generation = 0
            changed = msgspec.json.encode(CamerasChanged(generation=generation)).decode()
            self._hub.send_text("cameras_changed", changed)


def _channels_of(cameras: Iterable[str]) -> frozenset[str]:
    return frozenset(
        channel
        for camera_id in cameras
        for channel in (preview_channel(camera_id), results_channel(camera_id))
    )
