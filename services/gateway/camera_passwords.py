"""Passwords of cameras that lie in the registry as an earlier release, or an earlier key, left them."""

import asyncio
from typing import Final

import structlog
from redis.exceptions import RedisError

from mien.runtime.cameras import CameraRegistry
from mien.runtime.service import Service

log = structlog.get_logger()

_RETRY_SECONDS: Final = 2.0


async def encrypt_passwords(service: Service, registry: CameraRegistry) -> None:
    """Encrypt all of them with the newest key, once, as soon as Redis answers."""
    while not service.stop.is_set():
        try:
            if count := await registry.reseal():
                log.info("camera_passwords.encrypted", cameras=count)
        except (RedisError, OSError) as error:
            log.warning("camera_passwords.redis_away", error=type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            break
    await service.stop.wait()
