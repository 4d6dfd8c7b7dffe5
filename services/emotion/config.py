"""Settings of the emotion worker."""

from pydantic import Field

from mien.runtime.settings import (
    KafkaSettings,
    RedisSettings,
    ServiceSettings,
    ServingSettings,
    settings_config,
)


class EmotionSettings(ServiceSettings):
    """What the emotion worker can be told."""

    model_config = settings_config("MIEN_EMOTION_")

    smoothing_seconds: float = Field(
        1.5, ge=0, le=30, description="Time constant of the smoothing over a track"
    )
    min_probability: float = Field(0.45, ge=0, le=1, description="A label below this is 'uncertain'")
    switch_margin: float = Field(0.1, ge=0, le=1, description="Lead a new label needs over the one shown")
    min_quality: float = Field(0.15, ge=0, le=1, description="Views worse than this are skipped and counted")
    max_batch_size: int = Field(16, ge=1, le=32, description="Most faces in one call to the model server")
    kafka: KafkaSettings = Field(default_factory=lambda: KafkaSettings(), description="MIEN_KAFKA_*")
    redis: RedisSettings = Field(default_factory=lambda: RedisSettings(), description="MIEN_REDIS_*")
    serving: ServingSettings = Field(default_factory=lambda: ServingSettings(), description="MIEN_SERVING_*")
