"""Looking at frames, one after the other. Publishing what one showed overlaps looking at the next."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import structlog
from numpy.typing import NDArray
from redis.asyncio import Redis
from redis.exceptions import RedisError

from mien.contracts.cameras import Camera
from mien.contracts.events import FaceShot
from mien.contracts.frames import Frame
from mien.contracts.shared_state import SKIPPED_PREFIX, track_epoch_key
from mien.errors import PermanentError, TransientError
from mien.runtime import metrics
from mien.runtime.cameras import CameraDirectory
from mien.runtime.service import Service, wait_or_stop
from mien.vision.jpeg import ImageError, decode_jpeg_rgb
from services.detector.closeups import Closeup
from services.detector.config import DetectorSettings
from services.detector.detection import Detections, VideoFaceDetector
from services.detector.frame_reader import FrameReader
from services.detector.ignored_zones import outside_ignored_zones
from services.detector.mailbox import WaitingFrame
from services.detector.outgoing import preview_of
from services.detector.outlets import WATCH_POLL_SECONDS, Outlets
from services.detector.pipeline import CameraPipeline, Observation

log = structlog.get_logger()

_SWEEP_SECONDS = 1.0


@dataclass
class _Held:
    partition: int
    pipeline: CameraPipeline
    last_frame_at: float
    """When a frame last came, on the monotonic clock."""


class Pipelines:
    """The pipeline of each camera that is ours, with its partition, under an epoch drawn from Redis."""

    def __init__(self, redis: Redis, settings: DetectorSettings) -> None:
        self._redis = redis
        self._settings = settings
        self._held: dict[str, _Held] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._held))

    async def of(self, camera_id: str, partition: int) -> CameraPipeline:
        """Return a camera's pipeline, begun when it is first asked for.

        Raises:
            TransientError: Redis gave no epoch.
        """
        if camera_id not in self._held:
            try:
                epoch = int(await self._redis.incr(track_epoch_key(camera_id)))
            except (RedisError, OSError) as error:
                raise TransientError(f"drawing a track epoch from Redis: {error}") from error
            pipeline = CameraPipeline(
                camera_id,
                epoch,
                tracking=self._settings.tracking(),
                shots=self._settings.shots(),
                search=self._settings.search(),
            )
            self._held[camera_id] = _Held(partition, pipeline, time.monotonic())
            log.info("camera.taken", camera_id=camera_id, partition=partition, epoch=epoch)
        held = self._held[camera_id]
        held.last_frame_at = time.monotonic()
        return held.pipeline

    def pop(self, camera_id: str) -> tuple[int, CameraPipeline]:
        """Forget a camera; returns its partition and pipeline."""
        held = self._held.pop(camera_id)
        return held.partition, held.pipeline

    def left(self, cameras: CameraDirectory, partitions: frozenset[int]) -> list[str]:
        """Return the cameras that are silent, gone, switched off, or on none of our partitions."""
        oldest = time.monotonic() - self._settings.silent_seconds
        found = []
        for camera_id, held in self._held.items():
            camera = cameras.get(camera_id)
            is_ours = camera is not None and camera.enabled and held.partition in partitions
            if not is_ours or held.last_frame_at < oldest:
                found.append(camera_id)
        return found


class FrameWorker:
    """Looks at frames, one at a time, and says what they show."""

    def __init__(
        self,
        settings: DetectorSettings,
        *,
        detector: VideoFaceDetector,
        pipelines: Pipelines,
        cameras: CameraDirectory,
        reader: FrameReader,
        outlets: Outlets,
        service: Service,
    ) -> None:
        self._settings = settings
        self._detector = detector
        self._pipelines = pipelines
        self._cameras = cameras
        self._reader = reader
        self._events, self._previews = outlets.events, outlets.previews
        self._wishes, self._records = outlets.wishes, outlets.records
        self._service = service
        self._publishing: asyncio.Task[None] | None = None

    async def work(self) -> None:
        """Look at frames until the service stops; then end all tracks."""
        swept_at = time.monotonic()
        while not self._service.stop.is_set():
            waiting = await self._reader.take(timeout_seconds=0.25)
            if waiting is not None:
                await self._look_at(waiting)
                self._reader.finished(waiting)
            if time.monotonic() - swept_at >= _SWEEP_SECONDS:
                swept_at = time.monotonic()
                await self._end_tracks_of(self._pipelines.left(self._cameras, self._reader.partitions))
        await self._published()
        await self._end_tracks_of(self._pipelines)
        await self._reader.commit_done()
        await self._records.write()

    async def follow_watchers(self) -> None:
        """Keep knowing which cameras are watched, until the service stops."""
        while not self._service.stop.is_set():
            await self._previews.refresh(self._pipelines)
            await wait_or_stop(self._service.stop, WATCH_POLL_SECONDS)

    async def _look_at(self, waiting: WaitingFrame) -> None:
        frame = waiting.frame
        started = time.perf_counter()
        camera = self._cameras.get(frame.camera_id)
        if (reason := _why_not(frame, camera)) is not None or camera is None:
            metrics.DROPPED.labels("detector", reason).inc()
            return
        try:
            pipeline = await self._pipelines.of(camera.camera_id, waiting.partition)
            image, detections = await self._detect(frame, camera, pipeline)
        except TransientError as error:
            metrics.DROPPED.labels("detector", "redis").inc()
            self._service.health.report("track_epoch", str(error))
            return
        except PermanentError as error:
            await self._reader.refuse(waiting, error)
            return
        self._service.health.resolve("track_epoch")
        observation = pipeline.observe(frame, detections, image)
        if observation.looked_near:
            metrics.SKIPPED.labels("detector", "looked_near").inc()
        if self._previews.is_watched(frame.camera_id):
            await self._previews.show(preview_of(frame, observation.observed, detected_at_ns=time.time_ns()))
        metrics.STAGE_SECONDS.labels("detector").observe(time.perf_counter() - started)
        metrics.FRAME_AGE_SECONDS.labels("detector").observe(frame.age_ms(time.time_ns()) / 1e3)
        await self._send_on(waiting, camera, pipeline, observation, image)

    async def _detect(
        self, frame: Frame, camera: Camera, pipeline: CameraPipeline
    ) -> tuple[NDArray[np.uint8] | None, Detections]:
        """Return the decoded picture and its faces; no picture when nothing moved in it."""
        remembered = pipeline.remembered(frame)
        if remembered is not None:
            metrics.SKIPPED.labels("detector", "still").inc()
            self._records.count(camera.camera_id, {"remembered": 1})
            return None, remembered
        image, found = await asyncio.to_thread(self._decode_and_detect, frame, pipeline, camera.min_face_px)
        detections = outside_ignored_zones(found, frame.size_wh, camera)
        metrics.SKIPPED.labels("detector", "ignored_zone").inc(len(found) - len(detections))
        metrics.FRAMES.labels("detector", frame.camera_id).inc()
        metrics.FACES.labels(frame.camera_id).inc(len(detections))
        seen = {
            "looked_at": 1,
            "faces": len(detections),
            f"{SKIPPED_PREFIX}ignored_zone": len(found) - len(detections),
        }
        self._records.count(camera.camera_id, seen)
        return image, detections

    def _decode_and_detect(
        self, frame: Frame, pipeline: CameraPipeline, min_face_px: int
    ) -> tuple[NDArray[np.uint8], Detections]:
        image = decode_jpeg_rgb(frame.jpeg, max_pixels=self._settings.max_frame_pixels)
        size_wh = (image.shape[1], image.shape[0])
        if size_wh != frame.size_wh:
            raise ImageError(f"expected a picture of {frame.size_wh} as its header says, got {size_wh}")
        return image, pipeline.look(frame, image, self._detector, min_face_px=min_face_px)

    async def _send_on(
        self,
        waiting: WaitingFrame,
        camera: Camera,
        pipeline: CameraPipeline,
        observation: Observation,
        image: NDArray[np.uint8] | None,
    ) -> None:
        shots = []
        if image is not None and observation.faces:
            frame = waiting.frame
            closeup = self._closeup_of(frame)
            cut = await asyncio.to_thread(
                pipeline.take_shots, frame, image, observation, camera, self._detector, closeup
            )
            shots = cut.taken
            if closeup is not None:
                for outcome, count in closeup.outcomes.items():
                    metrics.CLOSEUPS.labels("detector", outcome).inc(count)
            if pipeline.wants_closeup(observation, camera):
                await self._wishes.wish(camera.camera_id)
            for reason, count in cut.skipped.items():
                metrics.SKIPPED.labels("detector", reason).inc(count)
            self._records.count(camera.camera_id, _counts(shots, cut.skipped))
        if observation.refused:
            metrics.DROPPED.labels("detector", "too_many_faces").inc(observation.refused)
        metrics.TRACKS_ACTIVE.labels(camera.camera_id).set(pipeline.active_tracks)
        self._records.count(camera.camera_id, {"tracks": len(observation.started)})
        self._records.add_passed(camera.camera_id, pipeline.take_passed())
        await self._published()

        async def publish_all() -> None:
            await self._events.observed(observation.observed, partition=waiting.partition)
            await self._events.changed(observation.changes, shots, partition=waiting.partition)

        self._publishing = asyncio.create_task(publish_all())

    def _closeup_of(self, frame: Frame) -> Closeup | None:
        if frame.closeup_jpeg is None:
            return None
        return Closeup(
            frame.closeup_jpeg,
            frame_wh=frame.size_wh,
            detector=self._detector,
            max_pixels=self._settings.max_frame_pixels,
        )

    async def _published(self) -> None:
        """Wait until the frame before is published; raises what went wrong with it."""
        if self._publishing is not None:
            await self._publishing
            self._publishing = None

    async def _end_tracks_of(self, camera_ids: Iterable[str]) -> None:
        for camera_id in camera_ids:
            partition, pipeline = self._pipelines.pop(camera_id)
            self._reader.forget(camera_id)
            self._wishes.forget(camera_id)
            await self._events.changed(pipeline.end_tracks(), [], partition=partition)
            self._records.add_passed(camera_id, pipeline.take_passed())
            metrics.TRACKS_ACTIVE.labels(camera_id).set(0)


def _counts(shots: Iterable[FaceShot], skipped: Counter[str]) -> Counter[str]:
    """Return what became of a frame's faces, as the work of its camera is counted."""
    sent = Counter(f"{shot.purpose}_shots" for shot in shots)
    return sent + Counter({SKIPPED_PREFIX + reason: count for reason, count in skipped.items()})


def _why_not(frame: Frame, camera: Camera | None) -> str | None:
    """Return why a frame is not looked at, or None when it is."""
    if camera is None:
        return "unknown_camera"
    if not camera.enabled:
        return "disabled_camera"
    return "stale" if frame.is_stale(time.time_ns()) else None
