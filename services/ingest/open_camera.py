"""A camera that is read: its parts, and what is said of it, to whoever looks and to its history."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mien.contracts.camera_status import CameraStatus
from mien.contracts.cameras import Camera
from mien.runtime import metrics
from services.ingest.condition import Condition, RateWatch, judge, lasting
from services.ingest.main_stream import MainStream
from services.ingest.publisher import FramePublisher
from services.ingest.reader import CameraReader
from services.ingest.schedule import closed_words, opens_at
from services.ingest.state_events import StateJournal
from services.ingest.status import RateMeter, describe_camera, limits_of, look_at


@dataclass
class OpenCamera:
    """A camera that is read: its thread, its main stream's, its publisher, and the task that runs it."""

    reader: CameraReader
    publisher: FramePublisher
    task: asyncio.Task[None]
    rate: RateWatch
    main: MainStream | None = None
    captured: RateMeter = field(default_factory=RateMeter)
    published: RateMeter = field(default_factory=RateMeter)
    told: Counter[str] = field(default_factory=Counter)

    def work_done(self) -> Mapping[str, int]:
        """Return what was done with the camera's pictures since this was last asked."""
        before, reader = self.told, self.reader
        self.told = Counter(
            captured=reader.arrivals,
            sampled=reader.pictures_sampled,
            unchanged=reader.pictures_unchanged,
            published=self.publisher.published,
        )
        return self.told - before

    def describe(self, journal: StateJournal, *, replica: str) -> CameraStatus:
        """Return the camera's status; a new state goes into the journal, all of it into metrics."""
        now, reader = time.monotonic(), self.reader
        fps = self.rate.look(now, count=reader.arrivals, connection=reader.openings)
        view = look_at(reader, fps=fps, expected_fps=self.rate.expected(reader.report.stated_fps))
        condition = judge(view, limits_of(reader))
        camera = reader.camera
        journal.note(camera.camera_id, camera.partition, lasting(view, condition), at_ns=time.time_ns())
        status = describe_camera(
            reader,
            self.publisher.dropped,
            condition,
            captured_fps=self.captured.update(reader.arrivals, now),
            published_fps=self.published.update(self.publisher.published, now),
            replica=replica,
            main=None if self.main is None else self.main.reader,
        )
        metrics.CAMERA_STREAMING.labels(camera.camera_id).set(reader.report.state == "streaming")
        metrics.CAMERA_STATE.labels(camera.camera_id).state(status.state)
        if status.clock_skew_seconds is not None:
            metrics.CAMERA_CLOCK_SKEW_SECONDS.labels(camera.camera_id).set(status.clock_skew_seconds)
        return status


def describe_closed(camera: Camera, journal: StateJournal, *, replica: str) -> CameraStatus:
    """Return the status of a camera that is closed on purpose."""
    now = datetime.now(UTC)
    opening, reason = None, "switched off"
    if camera.enabled and camera.schedule is not None:
        opening, reason = opens_at(camera.schedule, now), closed_words(camera.schedule, now)
    condition = Condition("stopped", reason)
    journal.note(camera.camera_id, camera.partition, condition, at_ns=time.time_ns())
    return CameraStatus(
        camera_id=camera.camera_id,
        state=condition.state,
        reason=condition.reason,
        replica=replica,
        opens_at_ns=None if opening is None else round(opening.timestamp() * 1e9),
    )
