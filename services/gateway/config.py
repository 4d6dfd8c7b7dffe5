"""Settings of the gateway, ``MIEN_GATEWAY_*`` and the shared groups."""

import os
from pathlib import Path

from pydantic import Field, SecretStr

from mien.runtime.settings import (
    CameraNetworkSettings,
    KafkaSettings,
    Port,
    RedisSettings,
    SecretSettings,
    ServiceSettings,
    settings_config,
)


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
    import_dir: Path = Field(
        Path("var/imports"), description="Folder where archives of photos wait until they are read"
    )
    cli_token_path: Path | None = Field(
        None, description="File that the command line's token is written to (mode 0600); none: no token"
    )
    first_password_path: Path | None = Field(
        None, description="File that the first admin password is written to (mode 0600), besides the log"
    )
    jobs_dir: Path | None = Field(
        None, description="Folder of trainings, shared with a trainer; none: the dashboard starts none"
    )
    datasets_dir: Path | None = Field(
        None, description="Folder whose folders can be trained on, shared with a trainer; may be missing"
    )
    model_repo: Path | None = Field(
        None, description="Folder of the models whose versions the dashboard may promote; none: it doesn't"
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
    camera_history_days: float = Field(
        30.0, ge=1, le=3650, description="How long it is kept when a camera was away, and why"
    )
    cameras: CameraNetworkSettings = Field(
        default_factory=lambda: CameraNetworkSettings(), description="MIEN_CAMERAS_*"
    )
    secrets: SecretSettings = Field(default_factory=lambda: SecretSettings(), description="MIEN_SECRETS_*")
    max_webcams: int = Field(16, ge=0, le=1000, description="Browser webcams open at once; 0: none")
    webcam_fps: float = Field(6.0, gt=0, le=30, description="Pictures a second taken from a browser's webcam")
    webcam_credits: int = Field(2, ge=1, le=8, description="Pictures a browser may have on their way at once")
    webcam_frame_bytes: int = Field(
        300_000, ge=20_000, le=2_000_000, description="Largest picture taken from a browser's webcam, bytes"
    )
    webcam_frame_side_px: int = Field(
        1280, ge=160, le=3840, description="Longest side of a picture taken from a browser's webcam"
    )
    webcam_keep_seconds: float = Field(
        60.0, ge=10, le=3600, description="A browser webcam that is gone for this long is removed"
    )
    coach_checks_per_second: float = Field(
        8.0, gt=0, le=30, description="Pictures a second that one guided enrolment may have judged"
    )
    max_coach_checks: int = Field(
        16, ge=1, le=1000, description="Pictures of guided enrolments judged at once, over all of them"
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
