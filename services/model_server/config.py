"""Settings of the model server."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from mien.runtime.settings import Port, ServiceSettings, settings_config

Precision = Literal["float32", "fastest"]


class ModelServerSettings(ServiceSettings):
    """What the model server can be told."""

    model_config = settings_config("MIEN_MODEL_SERVER_")

    host: str = Field("127.0.0.1", description="Address of gRPC; it has no login, so keep it inside")
    port: Port = Field(8500, description="Port of gRPC; 0 takes a free one")
    model_repo: Path = Field(Path("model_repo"), description="Folder of MODEL/VERSION/saved_model.pb")
    models_config: Path | None = Field(
        None, description="TensorFlow Serving's models.config; none serves the latest version of each model"
    )
    poll_seconds: float = Field(2.0, gt=0, le=3600, description="How often new versions are looked for")
    max_batch_size: int = Field(32, ge=1, le=1024, description="Most examples of one execution and request")
    batch_timeout_micros: int = Field(
        0, ge=0, le=1_000_000, description="Wait for a fuller batch; 0 takes what came while the last one ran"
    )
    max_queued_examples: int = Field(
        256, ge=1, le=65_536, description="Examples that may wait per model; more are refused"
    )
    inference_threads: int = Field(1, ge=1, le=256, description="Threads that one execution uses")
    precision: Precision = Field(
        "float32",
        description="What is computed with: float32, as TensorFlow Serving does, or what the processor is "
        "fastest with (bfloat16 on new ones), whose vectors differ a little from machine to machine",
    )
    cache_dir: Path | None = Field(
        None, description="Folder of compiled models; makes the second start of a large model fast"
    )
    max_message_bytes: int = Field(64 * 2**20, ge=2**20, le=2**30, description="Largest request or answer")

    @model_validator(mode="after")
    def _queue_holds_a_batch(self) -> "ModelServerSettings":
        if self.max_queued_examples < self.max_batch_size:
            raise ValueError(
                f"max_queued_examples ({self.max_queued_examples}) must not be below "
                f"max_batch_size ({self.max_batch_size})"
            )
        return self
