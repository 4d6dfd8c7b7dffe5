"""Settings of the trainer."""

from pathlib import Path

from pydantic import Field

from mien.runtime.settings import RedisSettings, ServiceSettings, settings_config


class TrainerSettings(ServiceSettings):
    """What the trainer can be told."""

    model_config = settings_config("MIEN_TRAINER_")

    home: Path = Field(
        Path("var/home"), description="Folder with jobs/ and secrets/, which the gateway shares; as MIEN_HOME"
    )
    model_repo: Path = Field(
        Path("model_repo"), description="Folder that models are read from and new versions go to"
    )
    niceness: int = Field(
        10, ge=0, le=19, description="How much a training gives way to everything else on the machine"
    )
    redis: RedisSettings = Field(default_factory=lambda: RedisSettings(), description="MIEN_REDIS_*")

    @property
    def jobs_folder(self) -> Path:
        """Where jobs lie."""
        return self.home / "jobs"
