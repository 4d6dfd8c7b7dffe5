"""Settings of the recognizer."""

from pydantic import Field, field_validator

from mien.contracts.models import EMBEDDERS, FACE_EMBEDDER, EmbedderSpec
from mien.runtime.settings import (
    KafkaSettings,
    RedisSettings,
    ServiceSettings,
    ServingSettings,
    settings_config,
)


class RecognizerSettings(ServiceSettings):
    """What the recognizer can be told."""

    model_config = settings_config("MIEN_RECOGNIZER_")

    embedder: str = Field(FACE_EMBEDDER.name, description=f"Model that embeds faces: {', '.join(EMBEDDERS)}")
    embedder_version: int = Field(
        1, ge=1, description="Its version; vectors of two versions are never compared"
    )
    accept_similarity: float | None = Field(
        None,
        ge=-1,
        le=1,
        description="Similarity from which a face is somebody; none takes what was calibrated on the gallery,"
        " else the embedder's own",
    )
    min_quality: float = Field(
        0.25, ge=0, le=1, description="Below this, a face nobody resembles is 'unclear', not 'unknown'"
    )
    max_batch_size: int = Field(16, ge=1, le=32, description="Most faces in one call to the model server")
    kafka: KafkaSettings = Field(default_factory=lambda: KafkaSettings(), description="MIEN_KAFKA_*")
    redis: RedisSettings = Field(default_factory=lambda: RedisSettings(), description="MIEN_REDIS_*")
    serving: ServingSettings = Field(default_factory=lambda: ServingSettings(), description="MIEN_SERVING_*")

    @field_validator("embedder")
    @classmethod
    def _is_known(cls, embedder: str) -> str:
        if embedder not in EMBEDDERS:
            raise ValueError(f"expected one of {', '.join(EMBEDDERS)}")
        return embedder

    @property
    def embedder_spec(self) -> EmbedderSpec:
        """What is known of the chosen embedder."""
        return EMBEDDERS[self.embedder]
