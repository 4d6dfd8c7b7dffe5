"""A camera's own stream: the pictures that go on to detection."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mien.contracts.cameras import Camera
from mien.runtime import metrics
from services.ingest.condition import StillnessWatch
from services.ingest.config import IngestSettings
from services.ingest.picture import DamagedPictureError, Picture, fit_width
from services.ingest.pipeline import MotionGate, SamplingSchedule
from services.ingest.sources import OpenSource, VideoSource, open_source
from services.ingest.stream import StreamReader

_LAG_SHOWN_EVERY: Final = 15


@dataclass(frozen=True)
class Sample:
    """A picture that goes on to detection.

    Attributes:
        opening: Counts the openings of this reader; each is an epoch of the camera.
        still: Nothing has moved.
        for_viewer: It goes on only because somebody watches.
    """

    opening: int
    jpeg: bytes
    size_wh: tuple[int, int]
    captured_at_ns: int
    camera_clock_ns: int | None
    still: bool
    max_age_ms: int
    for_viewer: bool = False


class CameraReader(StreamReader):
    """Samples a camera's pictures and delivers those in which something moves.

    Attributes:
        watched: Whether somebody watches: then still pictures go on, too.
    """

    kind = "camera"

    def __init__(
        self,
        camera: Camera,
        settings: IngestSettings,
        *,
        deliver: Callable[[Sample], None],
        on_change: Callable[[], None],
        open_camera: OpenSource = open_source,
    ) -> None:
        super().__init__(camera, settings, on_change=on_change, open_camera=open_camera)
        self.watched = False
        self.pictures_sampled = 0
        self.pictures_unchanged = 0
        self._deliver = deliver
        self._begin()

    @property
    def frame_wh(self) -> tuple[int, int] | None:
        """Size of the frames that go on, None before the first picture."""
        size_wh = self.report.size_wh
        return None if size_wh is None else fit_width(size_wh, self.camera.frame_width_px)

    @property
    def unchanged_seconds(self) -> float:
        """For how long the camera has been sending the same picture."""
        return self._stillness.unchanged_seconds

    def _begin(self) -> None:
        settings = self.settings
        self._stillness = StillnessWatch()
        self._schedule = SamplingSchedule(self.camera.sampled_fps)
        self._gate = MotionGate(
            luma_step=settings.motion_luma_step,
            area_ratio=settings.motion_area_ratio,
            heartbeat_seconds=settings.heartbeat_seconds,
        )

    def _take(self, picture: Picture, source: VideoSource) -> None:
        camera = self.camera
        self._schedule.fps = camera.sampled_fps
        if self.pictures_seen % _LAG_SHOWN_EVERY == 0:
            metrics.CAMERA_LAG_SECONDS.labels(camera.camera_id).set(source.lag_seconds)
        if self._schedule.is_due(picture.media_seconds):
            self.pictures_sampled += 1
            self._sample(picture, camera)

    def _steer(self, source: VideoSource) -> None:
        super()._steer(source)
        source.decode, source.sampled_fps = self.camera.decode, self.camera.sampled_fps
        source.is_due = self._schedule.would_be_due

    def _sample(self, picture: Picture, camera: Camera) -> None:
        self._gate.ignore([zone.points_xy for zone in camera.ignored_zones])
        try:
            luma = picture.coarse_luma()
            self._stillness.note(luma, self.progress_at)
            gate = self._gate.decide(luma, picture.media_seconds, watched=self.watched)
            if gate == "skipped":
                self.pictures_unchanged += 1
                metrics.SKIPPED.labels("ingest", "still").inc()
                return
            quality = camera.jpeg_quality or self.settings.jpeg_quality
            jpeg, size_wh = picture.to_jpeg(max_width_px=camera.frame_width_px, quality=quality)
        except DamagedPictureError:
            self._count_dropped("corrupt", 1)
            return
        if not self._stop.is_set():
            self._deliver(
                Sample(
                    opening=self.openings,
                    jpeg=jpeg,
                    size_wh=size_wh,
                    captured_at_ns=picture.captured_at_ns,
                    camera_clock_ns=picture.camera_clock_ns,
                    still=gate != "moved",
                    max_age_ms=camera.max_age_ms,
                    for_viewer=gate == "watched",
                )
            )
