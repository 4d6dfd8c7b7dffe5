"""All cameras that this replica owns: which are open, how they are doing, and when one is replaced."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from mien.contracts.camera_status import CameraStatus
from mien.contracts.cameras import Camera
from mien.contracts.shared_state import closeup_key, watch_key
from mien.runtime import metrics
from mien.runtime.cameras import CameraDirectory
from mien.runtime.service import Service, wait_or_stop
from mien.runtime.work import WorkLedger
from services.ingest.address import is_same_source
from services.ingest.condition import RateWatch
from services.ingest.config import IngestSettings
from services.ingest.main_stream import MainStream, main_stream_of
from services.ingest.open_camera import OpenCamera, describe_closed
from services.ingest.publisher import EpochCounter, FramePublisher, SendFrame
from services.ingest.reader import CameraReader, Sample
from services.ingest.schedule import is_open
from services.ingest.sources import OpenSource, open_source
from services.ingest.state_events import StateJournal
from services.ingest.status import write_status
from services.ingest.stream import StreamReader

log = structlog.get_logger()

STATUS_INTERVAL_SECONDS: Final = 2.0
_TICK_SECONDS: Final = 1.0
_WISH_POLL_SECONDS: Final = 0.5
_MOST_STUCK_THREADS: Final = 20
_STATUS_PAUSE_SECONDS: Final = 0.1


class CameraFleet:
    """Keeps one reader per camera that is owned and enabled, and says how each is doing."""

    def __init__(
        self,
        service: Service,
        settings: IngestSettings,
        redis: Redis,
        directory: CameraDirectory,
        *,
        send: SendFrame,
        journal: StateJournal,
        open_camera: OpenSource = open_source,
    ) -> None:
        self._journal = journal
        self._service = service
        self._settings = settings
        self._redis = redis
        self._directory = directory
        self._send = send
        self._open_camera = open_camera
        self._loop = asyncio.get_running_loop()
        self._epochs = EpochCounter(redis)
        self._work = WorkLedger(redis)
        self._partitions: set[int] = set()
        self._open: dict[str, OpenCamera] = {}
        self._abandoned: list[StreamReader] = []
        self._assigned = asyncio.Event()
        self._changed = asyncio.Event()

    def pause(self) -> None:
        """Stop publishing; connections stay open until it is known what is lost."""
        for camera in self._open.values():
            camera.publisher.pause()

    def assign(self, partitions: set[int]) -> None:
        """Own the cameras of these partitions from now on, and no others."""
        self._partitions = partitions
        self._reconcile()
        for camera in self._open.values():
            camera.publisher.resume()

    async def run(self) -> None:
        """Keep readers in step with the registry and replace stuck ones, until the service stops."""
        while not self._service.stop.is_set():
            self._directory.changed.clear()
            self._reconcile()
            self._replace_stuck()
            for camera_id, camera in self._open.items():
                self._work.count(camera_id, camera.work_done())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._directory.changed.wait(), _TICK_SECONDS)
        await self._close_all()

    async def report(self) -> None:
        """Write each camera's status when it changes and every two seconds, until the service stops."""
        while not self._service.stop.is_set():
            self._changed.clear()
            try:
                for status in self._statuses():
                    await write_status(self._redis, status)
                self._service.health.resolve("camera statuses")
            except (RedisError, OSError) as error:
                self._service.health.report("camera statuses", f"writing camera statuses: {error}")
            await wait_or_stop(self._service.stop, _STATUS_PAUSE_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), STATUS_INTERVAL_SECONDS)

    async def follow_wishes(self) -> None:
        """Keep knowing which cameras are watched, and of which close-ups are wanted, until it is over."""
        while not self._service.stop.is_set():
            cameras = dict(self._open)
            keys = [*map(watch_key, cameras), *map(closeup_key, cameras)]
            try:
                values = await self._redis.mget(keys) if keys else []
            except (RedisError, OSError):
                values = []  # told by the status task; what is wished for is not known for the moment
            wishes = zip(cameras.values(), values, values[len(cameras) :], strict=False)
            for camera, watches, closeups in wishes:
                camera.reader.watched = watches is not None
                if camera.main is not None:
                    camera.main.reader.wanted = closeups is not None
            await wait_or_stop(self._service.stop, _WISH_POLL_SECONDS)

    async def tell_work(self) -> None:
        """Add up in Redis what is done with each camera's pictures, until the service stops."""
        await self._work.run(self._service)

    def _owned(self) -> list[Camera]:
        """Return the cameras that are this replica's to read; others publish those of browsers."""
        cameras = self._directory.on_partitions(self._partitions)
        return [camera for camera in cameras if camera.source != "browser"]

    def _wanted(self) -> dict[str, Camera]:
        now = datetime.now(UTC)
        return {
            camera.camera_id: camera
            for camera in self._owned()
            if camera.enabled and is_open(camera.schedule, now)
        }

    def _reconcile(self) -> None:
        if self._service.stop.is_set():
            return
        wanted = self._wanted()
        for camera_id in list(self._open):
            camera = wanted.get(camera_id)
            if camera is None or not is_same_source(camera, self._open[camera_id].reader.camera):
                self._close(camera_id)
        for camera_id, camera in wanted.items():
            if camera_id in self._open:
                self._open[camera_id].reader.camera = camera
            else:
                self._open[camera_id] = self._start(camera)
            self._reconcile_main_stream(self._open[camera_id], main_stream_of(camera))

    def _reconcile_main_stream(self, opened: OpenCamera, wanted: Camera | None) -> None:
        if opened.main is not None:
            if wanted is not None and is_same_source(wanted, opened.main.reader.camera):
                opened.main.reader.camera = wanted
                return
            self._close_main_stream(opened)
        if wanted is not None:
            opened.main = MainStream(
                wanted, self._settings, on_change=self._on_change, open_camera=self._open_camera
            )
            opened.main.reader.start()
            opened.publisher.find_closeup = opened.main.closeup_of

    def _close_main_stream(self, opened: OpenCamera) -> None:
        if opened.main is not None:
            opened.main.reader.stop()
            self._abandoned.append(opened.main.reader)
            opened.main = opened.publisher.find_closeup = None

    def _start(self, camera: Camera) -> OpenCamera:
        publisher = FramePublisher(
            camera.camera_id,
            camera.partition,
            epochs=self._epochs,
            send=self._send,
            health=self._service.health,
        )

        def deliver(sample: Sample) -> None:
            self._loop.call_soon_threadsafe(publisher.offer, sample)

        reader = CameraReader(
            camera,
            self._settings,
            deliver=deliver,
            on_change=self._on_change,
            open_camera=self._open_camera,
        )
        reader.start()
        log.info("camera.opened", camera_id=camera.camera_id, partition=camera.partition)
        rate = RateWatch(self._settings.slow_seconds)
        return OpenCamera(reader, publisher, asyncio.create_task(publisher.run()), rate)

    def _on_change(self) -> None:
        """Write statuses soon; called by the readers' threads."""
        self._loop.call_soon_threadsafe(self._changed.set)

    def _close(self, camera_id: str) -> None:
        camera = self._open.pop(camera_id)
        self._work.count(camera_id, camera.work_done())
        self._close_main_stream(camera)
        camera.reader.stop()
        camera.task.cancel()
        self._abandoned.append(camera.reader)
        metrics.CAMERA_STREAMING.remove(camera_id)
        for metric in (metrics.CAMERA_STATE, metrics.CAMERA_CLOCK_SKEW_SECONDS):
            with suppress(KeyError):  # it was never set
                metric.remove(camera_id)
        log.info("camera.closed", camera_id=camera_id)

    def _replace_stuck(self) -> None:
        now = time.monotonic()
        self._abandoned = [reader for reader in self._abandoned if not reader.join(0)]
        for camera_id, camera in list(self._open.items()):
            if camera.reader.is_stuck(now):
                camera.reader.tell_stuck(now)
                self._close(camera_id)
            elif camera.main is not None and camera.main.reader.is_stuck(now):
                camera.main.reader.tell_stuck(now)
                self._close_main_stream(camera)
        self._reconcile()
        stuck = sum(reader.is_stuck(now) for reader in self._abandoned)
        if stuck > _MOST_STUCK_THREADS:
            raise RuntimeError(f"{stuck} camera threads hang in native code; only a new process frees them")
        if stuck:
            self._service.health.report("stuck", f"{stuck} camera threads hang in native code")
        else:
            self._service.health.resolve("stuck")

    async def _close_all(self) -> None:
        self._changed.set()
        for camera_id in list(self._open):
            self._close(camera_id)
        until = time.monotonic() + 0.8 * self._settings.drain_timeout_seconds
        for reader in self._abandoned:
            await asyncio.to_thread(reader.join, max(until - time.monotonic(), 0))

    def _statuses(self) -> list[CameraStatus]:
        owned, replica = self._owned(), self._service.instance
        self._journal.keep_only({camera.camera_id for camera in owned})
        closed = [camera for camera in owned if camera.camera_id not in self._open]
        return [
            *(camera.describe(self._journal, replica=replica) for camera in self._open.values()),
            *(describe_closed(camera, self._journal, replica=replica) for camera in closed),
        ]
