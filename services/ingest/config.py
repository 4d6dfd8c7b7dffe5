"""What the ingest service can be told."""

from pathlib import Path

from pydantic import Field

from mien.runtime.settings import (
    CameraNetworkSettings,
    KafkaSettings,
    RedisSettings,
    SecretSettings,
    ServiceSettings,
    settings_config,
)


class IngestSettings(ServiceSettings):
    """Reading cameras and publishing their frames."""

    model_config = settings_config("MIEN_INGEST_")

    kafka: KafkaSettings = Field(default_factory=lambda: KafkaSettings(), description="MIEN_KAFKA_*")
    redis: RedisSettings = Field(default_factory=lambda: RedisSettings(), description="MIEN_REDIS_*")
    cameras: CameraNetworkSettings = Field(
        default_factory=lambda: CameraNetworkSettings(), description="MIEN_CAMERAS_*"
    )
    secrets: SecretSettings = Field(default_factory=lambda: SecretSettings(), description="MIEN_SECRETS_*")
    ca_file: Path | None = Field(
        None,
        description="Authorities that vouch for cameras' certificates, as a PEM file; Mozilla's when not set",
    )

    open_timeout_seconds: float = Field(
        5.0, gt=0, le=60, description="Longest wait for a camera to answer when it is opened"
    )
    stall_timeout_seconds: float = Field(
        6.0, gt=0.5, le=120, description="A camera that sends nothing for this long is opened again"
    )
    hang_timeout_seconds: float = Field(
        45.0,
        gt=1,
        le=600,
        description="A reader that is stuck for this long in spite of timeouts is replaced",
    )
    max_lag_seconds: float = Field(
        1.0, gt=0, le=30, description="Pictures are skipped when reading falls this far behind the camera"
    )
    first_retry_seconds: float = Field(0.5, gt=0, le=30, description="Wait before the first new attempt")
    longest_retry_seconds: float = Field(
        30.0, gt=0, le=600, description="The wait doubles with each attempt up to this"
    )
    refused_retry_seconds: float = Field(
        60.0,
        gt=0,
        le=3600,
        description="Wait after a wrong password, path or format; many cameras lock accounts",
    )
    frozen_seconds: float = Field(
        60.0,
        ge=0,
        le=3600,
        description="A camera that sends the same picture for this long is called frozen; 0: none is",
    )
    slow_share: float = Field(
        0.4,
        ge=0,
        lt=1,
        description="A camera that delivers less than this share of the pictures it should is called slow",
    )
    slow_seconds: float = Field(
        10.0, ge=1, le=300, description="Over this time the delivered pictures are counted"
    )
    heartbeat_seconds: float = Field(
        1.0, gt=0, le=60, description="A camera in front of which nothing moves sends one frame in this time"
    )
    motion_luma_step: int = Field(
        20, ge=1, le=255, description="A pixel has changed when its brightness differs by more than this"
    )
    motion_area_ratio: float = Field(
        0.004, ge=0, le=1, description="Something moves when more than this share of pixels has changed"
    )
    jpeg_quality: int = Field(
        80, ge=30, le=100, description="Of frames that ingest encodes, unless a camera has its own"
    )
    closeup_max_width_px: int = Field(
        1920, ge=320, le=3840, description="Close-ups from a main stream are scaled down to this width"
    )
    closeup_jpeg_quality: int = Field(85, ge=30, le=100, description="Of close-ups")
    closeup_max_bytes: int = Field(
        1024 * 1024, ge=50_000, le=2 * 1024 * 1024, description="Larger close-ups are not sent"
    )
    closeup_wait_seconds: float = Field(
        0.15,
        ge=0,
        le=1,
        description="A frame waits this long for the main stream's picture of the same moment",
    )
    closeup_ring_pictures: int = Field(
        12, ge=2, le=100, description="Pictures of a wanted main stream that are kept to choose from"
    )
    search_interfaces: str = Field(
        "",
        description="IPv4 addresses of this machine to look for cameras from, comma-separated; empty: those "
        "of all interfaces but the loopback",
    )
    closeup_ring_bytes: int = Field(
        64 * 1024 * 1024, ge=1024 * 1024, le=1024**3, description="Their memory, per camera"
    )

    @property
    def search_addresses(self) -> tuple[str, ...]:
        """The entries of *search_interfaces*."""
        return tuple(entry.strip() for entry in self.search_interfaces.split(",") if entry.strip())
