"""Settings of the emotion worker."""

from pydantic import Field

from mien.contracts.models import EMOTION_CLASSIFIER
from mien.runtime.settings import (
    KafkaSettings,
    RedisSettings,
    ServiceSettings,
    ServingSettings,
    settings_config,
)
from mien.vision.eyes import CLOSED_OPENNESS, YAWN_OPENNESS
from services.emotion.gate import ViewGate
from services.emotion.pipeline import Smoothing
from services.emotion.tiredness import TirednessRules


class EmotionSettings(ServiceSettings):
    """What the emotion worker can be told."""

    model_config = settings_config("MIEN_EMOTION_")

    model_label: str = Field(
        "stable",
        min_length=1,
        max_length=64,
        description="Which version of the emotion model: stable or canary",
    )
    smoothing_seconds: float = Field(
        1.5, ge=0, le=30, description="Time constant of the smoothing over a track"
    )
    min_probability: float | None = Field(
        None, ge=0, le=1, description="A label below this is 'uncertain'; none: the model's own limit"
    )
    switch_margin: float = Field(0.1, ge=0, le=1, description="Lead a new label needs over the one shown")
    interval_seconds: float = Field(
        0.3, ge=0, le=60, description="Least time between two shots of a track that its emotion is read from"
    )
    baselines: bool = Field(
        False, description="Learn how each enrolled person usually looks, and judge them by it"
    )
    min_quality: float = Field(0.15, ge=0, le=1, description="Views worse than this are skipped and counted")
    min_eye_distance_px: float = Field(
        10, ge=0, le=1000, description="Faces with the eyes closer together are too small for emotion"
    )
    max_yaw: float = Field(0.7, ge=0, le=1, description="Heads turned farther are skipped; 0.5 is 30 degrees")
    tiredness_min_eye_distance_px: float = Field(
        18, ge=0, le=1000, description="Faces with the eyes closer together are too small for tiredness"
    )
    tiredness_max_yaw: float = Field(
        0.6, ge=0, le=1, description="Heads turned farther don't show whether their eyes are open"
    )
    closed_openness: float = Field(
        CLOSED_OPENNESS, ge=0, le=1, description="An eye is closed below this ratio of height to width"
    )
    yawn_openness: float = Field(
        YAWN_OPENNESS,
        ge=0,
        le=5,
        description="A mouth this far open, in distances between the eyes, may yawn",
    )
    tired_perclos: float = Field(
        0.15, gt=0, le=1, description="Tired from this share of time with closed eyes on"
    )
    tired_yawns: int = Field(3, ge=1, le=100, description="Tired from this many yawns in five minutes on")
    max_batch_size: int = Field(16, ge=1, le=32, description="Most faces in one call to the model server")
    kafka: KafkaSettings = Field(default_factory=lambda: KafkaSettings(), description="MIEN_KAFKA_*")
    redis: RedisSettings = Field(default_factory=lambda: RedisSettings(), description="MIEN_REDIS_*")
    serving: ServingSettings = Field(default_factory=lambda: ServingSettings(), description="MIEN_SERVING_*")

    def smoothing(self) -> Smoothing:
        """Return how quickly the answer follows the face, and when it is given."""
        limit = self.min_probability
        return Smoothing(
            seconds=self.smoothing_seconds,
            min_probability=EMOTION_CLASSIFIER.accept_probability if limit is None else limit,
            switch_margin=self.switch_margin,
            interval_seconds=self.interval_seconds,
        )

    def emotion_gate(self) -> ViewGate:
        """Return which views emotion is read from."""
        return ViewGate(self.min_eye_distance_px, self.max_yaw, self.min_quality)

    def tiredness_gate(self) -> ViewGate:
        """Return which views tiredness is read from."""
        return ViewGate(self.tiredness_min_eye_distance_px, self.tiredness_max_yaw, self.min_quality)

    def tiredness_rules(self) -> TirednessRules:
        """Return from when on somebody looks tired."""
        return TirednessRules(
            closed_openness=self.closed_openness,
            yawn_openness=self.yawn_openness,
            tired_perclos=self.tired_perclos,
            tired_yawns=self.tired_yawns,
        )
