"""Settings of the detector."""

from pydantic import Field

from mien.runtime.settings import KafkaSettings, RedisSettings, ServiceSettings, settings_config
from services.detector.mtcnn import MtcnnLimits
from services.detector.search import SearchSettings
from services.detector.shots import ShotSettings
from services.detector.tracker import TrackerSettings


class DetectorSettings(ServiceSettings):
    """What the detector can be told. The smallest face and the policies are each camera's own."""

    model_config = settings_config("MIEN_DETECTOR_")

    min_score: float = Field(0.8, gt=0, lt=1, description="Least score of a face; the mtcnn package's own")
    max_faces: int = Field(64, ge=1, le=1000, description="Most faces looked for in one frame and followed")
    inference_threads: int = Field(
        1, ge=1, le=64, description="Threads of one inference; more processes gain more than more threads"
    )
    confirm_score: float = Field(
        0.98, ge=0, le=1, description="A face this sure is a track at once, others in their second frame"
    )
    track_gap_seconds: float = Field(
        1.5, gt=0, le=30, description="A face that was not seen for longer has ended its track"
    )
    silent_seconds: float = Field(
        4.0, gt=0, le=9, description="A camera without frames for this long ends its tracks"
    )
    search_seconds: float = Field(
        1.0,
        ge=0,
        le=5,
        description="While only followed people move, all is searched this often; 0: in every frame",
    )
    min_identity_quality: float = Field(
        0.08, ge=0, le=1, description="Views worse than this are not sent for identity"
    )
    identity_shots: int = Field(6, ge=1, le=100, description="Most shots of a track, but for verifying")
    better_by: float = Field(
        0.1, ge=0, le=1, description="How much better a view must be than the best of its track so far"
    )
    verify_seconds: float = Field(10.0, gt=0, le=3600, description="A track is asked about again after this")
    verify_most_seconds: float = Field(
        80.0, gt=0, le=100, description="A face that stays where it is waits twice as long, up to this"
    )
    min_emotion_quality: float = Field(
        0.1, ge=0, le=1, description="Views worse than this are not sent for emotion"
    )
    emotion_interval_seconds: float = Field(
        0.5, gt=0, le=60, description="Time between emotion shots of a young track, half as often later"
    )
    tiredness_interval_seconds: float = Field(
        0.25, ge=0.1, le=1, description="Time between shots of a track where tiredness is read"
    )
    max_partition_fetch_bytes: int = Field(
        512 * 1024, ge=16 * 1024, le=16 * 1024 * 1024, description="About four frames of a camera per fetch"
    )
    max_frame_pixels: int = Field(
        3840 * 2160, ge=10_000, le=50_000_000, description="Larger frames are refused"
    )
    kafka: KafkaSettings = Field(default_factory=lambda: KafkaSettings(), description="MIEN_KAFKA_*")
    redis: RedisSettings = Field(default_factory=lambda: RedisSettings(), description="MIEN_REDIS_*")

    def mtcnn_limits(self) -> MtcnnLimits:
        """Return how sure MTCNN must be and how many faces it may find."""
        return MtcnnLimits(
            output_score=self.min_score,
            output_candidates=self.max_faces,
            refined_candidates=8 * self.max_faces,
        )

    def tracking(self) -> TrackerSettings:
        """Return when tracks start and end."""
        return TrackerSettings(
            confirm_score=self.confirm_score,
            max_gap_seconds=self.track_gap_seconds,
            max_tracks=self.max_faces,
        )

    def search(self) -> SearchSettings:
        """Return when the whole picture is searched."""
        return SearchSettings(search_seconds=self.search_seconds)

    def shots(self) -> ShotSettings:
        """Return which views are sent on."""
        return ShotSettings(
            min_identity_quality=self.min_identity_quality,
            min_emotion_quality=self.min_emotion_quality,
            identity_shots=self.identity_shots,
            better_by=self.better_by,
            verify_seconds=self.verify_seconds,
            verify_most_seconds=max(self.verify_seconds, self.verify_most_seconds),
            emotion_interval_seconds=self.emotion_interval_seconds,
            emotion_slow_interval_seconds=2 * self.emotion_interval_seconds,
            tiredness_interval_seconds=self.tiredness_interval_seconds,
        )
