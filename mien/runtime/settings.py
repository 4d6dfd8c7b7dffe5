"""Settings from the environment: built in ``main()``, frozen, and strict about names.

Each service has its own prefix (``MIEN_DETECTOR_``) beside the shared groups below. A variable that
starts with ``MIEN_`` and that nobody knows is an error: a mistyped limit must not be silently ignored.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from mien.errors import SettingsError
from mien.runtime.networks import CameraNetworks

PREFIX = "MIEN_"
# Groups that belong to other processes on the same machine: their names are not ours to check.
_SERVICE_GROUPS = (
    "INGEST",
    "DETECTOR",
    "RECOGNIZER",
    "EMOTION",
    "GATEWAY",
    "MODEL_SERVER",
    "TRAINER",
    "TEST",
)
# Of the command line, which services may be started from.
_WITHOUT_GROUP = ("MIEN_HOME", "MIEN_GATEWAY_URL")

Port = Annotated[int, Field(ge=0, le=65535)]


def settings_config(prefix: str) -> SettingsConfigDict:
    """Return the configuration that every settings class uses: its prefix, frozen, nothing extra."""
    return SettingsConfigDict(env_prefix=prefix, frozen=True, extra="forbid")


class LogSettings(BaseSettings):
    """How a process logs."""

    model_config = settings_config("MIEN_LOG_")

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe level that is written"
    )
    format: Literal["json", "console"] = Field(
        "json", description="One JSON object per line, or text for people"
    )


class KafkaSettings(BaseSettings):
    """How to reach the broker."""

    model_config = settings_config("MIEN_KAFKA_")

    bootstrap_servers: str = Field("127.0.0.1:9092", description="Comma-separated host:port of brokers")
    partitions: int = Field(
        24, ge=1, le=2000, description="Partitions of each camera topic: the cap on workers"
    )
    session_timeout_ms: int = Field(
        6000, ge=3000, le=60_000, description="A silent consumer is replaced after this"
    )
    heartbeat_interval_ms: int = Field(
        1500, ge=500, le=20_000, description="How often a consumer says it is alive"
    )
    fetch_max_wait_ms: int = Field(
        200, ge=10, le=5000, description="Longest wait of the broker for new messages"
    )


class RedisSettings(BaseSettings):
    """How to reach Redis."""

    model_config = settings_config("MIEN_REDIS_")

    url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"), description="redis:// address, password included"
    )


class ServingSettings(BaseSettings):
    """How to reach the model server: ours or tensorflow/serving."""

    model_config = settings_config("MIEN_SERVING_")

    address: str = Field("127.0.0.1:8500", description="host:port of its gRPC endpoint")
    timeout_seconds: float = Field(5.0, gt=0, le=60, description="Deadline of one call")


class CameraNetworkSettings(BaseSettings):
    """Where cameras may be."""

    model_config = settings_config("MIEN_CAMERAS_")

    networks: str = Field(
        "private,public",
        description="Networks that cameras may be in, comma-separated: private, public, loopback (this "
        "machine itself, for simulated cameras), or networks such as 10.20.0.0/16. Link-local addresses and "
        "metadata services of clouds are never allowed",
    )

    @field_validator("networks")
    @classmethod
    def _check(cls, networks: str) -> str:
        CameraNetworks.parse(networks)
        return networks

    def rules(self) -> CameraNetworks:
        """Return the same as something that judges."""
        return CameraNetworks.parse(self.networks)


class SecretSettings(BaseSettings):
    """Where the keys are that cameras' passwords are encrypted with; see :mod:`mien.runtime.secrets`."""

    model_config = settings_config("MIEN_SECRETS_")

    keys: SecretStr | None = Field(
        None, description="Keys instead of those in the file, comma-separated, the newest first"
    )
    key_file: Path = Field(
        Path("var/secrets/keys"),
        description="File with one key a line, the newest first; made with a new key (mode 0600) if missing",
    )


_SHARED = (
    LogSettings,
    KafkaSettings,
    RedisSettings,
    ServingSettings,
    CameraNetworkSettings,
    SecretSettings,
)


class ServiceSettings(BaseSettings):
    """What every service can be told; a service adds its own fields and its prefix."""

    health_host: str = Field("127.0.0.1", description="Address that /live, /ready and /metrics listen on")
    health_port: Port = Field(0, description="Port of /live, /ready and /metrics; 0 takes a free one")
    drain_timeout_seconds: float = Field(
        10.0, gt=0, le=120, description="Longest time to finish work on SIGTERM"
    )
    log: LogSettings = Field(default_factory=lambda: LogSettings(), description="MIEN_LOG_*")


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def load_settings(settings_class: type[SettingsT], environ: Mapping[str, str] = os.environ) -> SettingsT:
    """Build the settings of a process from its environment.

    Raises:
        SettingsError: A variable is unknown or its value is out of bounds; names all of them.
    """
    if unknown := sorted(_unknown_variables(settings_class, environ)):
        known = ", ".join(sorted(name for name, _ in describe_settings(settings_class)))
        raise SettingsError(f"unknown variables: {', '.join(unknown)}. Known here: {known}")
    try:
        return settings_class()
    except ValidationError as error:
        details = "; ".join(
            _explain(settings_class, item["loc"], item["msg"]) for item in error.errors(include_input=False)
        )
        raise SettingsError(details) from None  # the cause would print the value, which may be a secret


def describe_settings(settings_class: type[BaseSettings]) -> Iterator[tuple[str, str]]:
    """Yield the name of each variable and what it means, with its default."""
    prefix = str(settings_class.model_config.get("env_prefix", ""))
    for name, field in settings_class.model_fields.items():
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, BaseSettings):
            yield from describe_settings(nested)
        else:
            yield (
                f"{prefix}{name}".upper(),
                f"{field.description} (default: {field.get_default(call_default_factory=True)})",
            )


def settings_from_command_line(settings_class: type[SettingsT], description: str) -> SettingsT:
    """Build the settings of a service's ``main()``; ``--help`` prints them, an error exits with 2."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(f"{description}\n\nSettings, from the environment:")
        for name, meaning in describe_settings(settings_class):
            print(f"  {name}\n      {meaning}")
        sys.exit(0)
    if sys.argv[1:]:
        sys.exit(f"takes no arguments (settings come from the environment, see --help), got {sys.argv[1:]}")
    try:
        return load_settings(settings_class)
    except SettingsError as error:
        print(f"settings: {error}", file=sys.stderr)
        sys.exit(2)


def _unknown_variables(settings_class: type[ServiceSettings], environ: Mapping[str, str]) -> Iterator[str]:
    own = str(settings_class.model_config.get("env_prefix", ""))
    foreign = tuple(prefix for group in _SERVICE_GROUPS if (prefix := f"{PREFIX}{group}_") != own)
    known = {name for name, _ in describe_settings(settings_class)}
    for shared in _SHARED:
        known |= {name for name, _ in describe_settings(shared)}
    for name in environ:
        is_ours = name.startswith(PREFIX) and name not in _WITHOUT_GROUP and not name.startswith(foreign)
        if is_ours and name not in known:
            yield name


def _explain(settings_class: type[BaseSettings], location: tuple[int | str, ...], message: str) -> str:
    prefix = str(settings_class.model_config.get("env_prefix", ""))
    return f"{prefix}{'_'.join(str(part) for part in location)}".upper() + f": {message}"
