"""Settings of the recognizer."""

from pathlib import Path

from pydantic import Field, model_validator

from mien.contracts.models import EMBEDDERS, FACE_EMBEDDER, Embedder
from mien.runtime.embedders import find_embedder
from mien.runtime.settings import (
    KafkaSettings,
    RedisSettings,
    ServiceSettings,
    ServingSettings,
    settings_config,
)
from services.recognizer.classification import Decision


class RecognizerSettings(ServiceSettings):
    """What the recognizer can be told."""

    model_config = settings_config("MIEN_RECOGNIZER_")

    embedder: str = Field(
        FACE_EMBEDDER.name,
        description=f"What embeds faces: {', '.join(EMBEDDERS)}, or one that was imported",
    )
    embedder_version: int = Field(
        1, ge=1, description="Its version; vectors of two versions are never compared"
    )
    model_repo: Path = Field(
        Path("model_repo"), description="Folder where imported embedders say what they are"
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
    decision: Decision = Field(
        "gallery", description="Who names faces: gallery, classifier, or both (classifier among the accepted)"
    )
    classifier_label: str = Field(
        "stable", min_length=1, max_length=64, description="Which version of the classifier: stable or canary"
    )
    max_batch_size: int = Field(16, ge=1, le=32, description="Most faces in one call to the model server")
    kept_shots: int = Field(
        3, ge=0, le=10, description="Best views of a track that are kept so that it can be named; 0: none"
    )
    kept_shots_seconds: float = Field(
        900, ge=10, le=86_400, description="For how long after its last good view"
    )
    kafka: KafkaSettings = Field(default_factory=lambda: KafkaSettings(), description="MIEN_KAFKA_*")
    redis: RedisSettings = Field(default_factory=lambda: RedisSettings(), description="MIEN_REDIS_*")
    serving: ServingSettings = Field(default_factory=lambda: ServingSettings(), description="MIEN_SERVING_*")

    @model_validator(mode="after")
    def _embedder_is_known(self) -> "RecognizerSettings":
        self.embedder_spec  # noqa: B018 - says what is wrong with the settings before anything starts
        return self

    @property
    def embedder_spec(self) -> Embedder:
        """What is known of the chosen embedder."""
        return find_embedder(
            self.embedder,
            version=self.embedder_version,
            model_repo=self.model_repo,
            accept_similarity=self.accept_similarity,
        )
