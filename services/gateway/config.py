"""Settings of the gateway, ``MIEN_GATEWAY_*`` and the shared groups."""

import os
from pathlib import Path

from pydantic import Field, SecretStr

from mien.runtime.settings import KafkaSettings, Port, RedisSettings, ServiceSettings, settings_config


class GatewaySettings(ServiceSettings):
    """What the gateway can be told."""

    model_config = settings_config("MIEN_GATEWAY_")

    host: str = Field("127.0.0.1", description="Address that the dashboard and the interface listen on")
    port: Port = Field(8080, description="Port of the dashboard and the interface; 0 takes a free one")
    database_url: SecretStr = Field(
        SecretStr("sqlite:///var/gateway.sqlite"), description="SQLAlchemy address of people and history"
    )
    dashboard_dir: Path = Field(
        Path("services/dashboard/dist"), description="Folder of the built dashboard; may be missing"
    )
    cli_token_path: Path | None = Field(
        None, description="File that the command line's token is written to (mode 0600); none: no token"
    )
    first_password_path: Path | None = Field(
        None, description="File that the first admin password is written to (mode 0600), besides the log"
    )
    video_dirs: str = Field(
        "", description=f"Folders that file cameras may lie in, separated by {os.pathsep!r}; empty: anywhere"
    )
    allowed_origins: str = Field(
        "", description="Further origins (https://host:port, comma-separated) that may use a session"
    )
    session_hours: float = Field(24 * 7, gt=0, le=24 * 90, description="How long a login lasts")
    max_viewers: int = Field(200, ge=1, le=10_000, description="Live websockets open at once")
    max_cameras_per_viewer: int = Field(64, ge=1, le=1000, description="Cameras one browser may watch")
    send_timeout_seconds: float = Field(
        10.0, gt=0, le=60, description="A browser that takes nothing for this long is disconnected"
    )
    silent_track_seconds: float = Field(
        10.0, ge=2, le=100, description="A track unseen for this long is closed without its end event"
    )
    emotion_group_size: int = Field(
        5, ge=2, le=1000, description="Totals of fewer people than this are not told where only totals are"
    )
    emotion_keep_days: float = Field(
        30, gt=0, le=3650, description="How people looked is taken out of the history after this"
    )
    kafka: KafkaSettings = Field(default_factory=lambda: KafkaSettings(), description="MIEN_KAFKA_*")
    redis: RedisSettings = Field(default_factory=lambda: RedisSettings(), description="MIEN_REDIS_*")

    @property
    def video_folders(self) -> tuple[Path, ...]:
        """Resolved folders of *video_dirs*."""
        return tuple(Path(folder).resolve() for folder in self.video_dirs.split(os.pathsep) if folder)

    @property
    def trusted_origins(self) -> frozenset[str]:
        """The entries of *allowed_origins*."""
        return frozenset(
            origin.strip().rstrip("/") for origin in self.allowed_origins.split(",") if origin.strip()
        )
