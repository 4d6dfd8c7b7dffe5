"""The state of the whole system, for people and for programs."""

from datetime import UTC, datetime
from typing import Final

import msgspec
from fastapi import APIRouter, Depends
from redis.exceptions import RedisError
from sqlalchemy import func, select

from mien import __version__
from mien.contracts.camera_status import CameraStatus
from mien.contracts.shared_state import PRESENCE_PATTERN, Presence, camera_status_key
from services.gateway.access import ContextDep, require_session
from services.gateway.camera_history import DELIVERING
from services.gateway.context import Context
from services.gateway.schemas import Counts, HealthInfo, ServiceInfo, SystemInfo
from services.gateway.tables import Person

EXPECTED_SERVICES: Final = ("ingest", "detector", "recognizer", "emotion", "gateway")
_PRESENCE = msgspec.json.Decoder(Presence)
_STATUS = msgspec.json.Decoder(CameraStatus)

router = APIRouter(prefix="/api", tags=["system"])


@router.get("/health")
async def get_health() -> HealthInfo:
    """Say that the gateway answers."""
    return HealthInfo(ok=True)


@router.get("/system", dependencies=[Depends(require_session)])
async def get_system(context: ContextDep) -> SystemInfo:
    """Return who is running, what is wrong, and how much there is of what."""
    people = await context.database.run(lambda session: session.scalar(select(func.count(Person.person_id))))
    cameras: int | None = None
    streaming: int | None = None
    try:
        services = await _read_presence(context)
        cameras, streaming = await _count_cameras(context)
    except (RedisError, OSError) as error:
        context.service.health.report("redis", f"Redis does not answer: {type(error).__name__}")
        services = []
    own = _own_presence(context)
    services = [own, *(one for one in services if (one.service, one.instance) != (own.service, own.instance))]
    running = {one.service for one in services}
    return SystemInfo(
        version=__version__,
        partitions=context.settings.kafka.partitions,
        gateway_started_at=_time_of(context.service.started_at_ns),
        services=sorted(
            (_service_info(one) for one in services), key=lambda one: (one.service, one.instance)
        ),
        missing=[name for name in EXPECTED_SERVICES if name not in running],
        counts=Counts(
            cameras=cameras, streaming=streaming, people=people or 0, viewers=context.hub.viewer_count
        ),
    )


async def _read_presence(context: Context) -> list[Presence]:
    keys = [key async for key in context.redis.scan_iter(match=PRESENCE_PATTERN, count=500)]
    values = await context.redis.mget(keys) if keys else []
    return [_PRESENCE.decode(value) for value in values if value]


async def _count_cameras(context: Context) -> tuple[int, int]:
    cameras = await context.registry.list_cameras()
    keys = [camera_status_key(camera.camera_id) for camera in cameras]
    values = await context.redis.mget(keys) if keys else []
    return len(cameras), sum(_STATUS.decode(value).state in DELIVERING for value in values if value)


def _own_presence(context: Context) -> Presence:
    service, health = context.service, context.service.health
    return Presence(
        service=service.name,
        instance=service.instance,
        started_at_ns=service.started_at_ns,
        state=health.state,
        problems=health.problems,
    )


def _service_info(presence: Presence) -> ServiceInfo:
    return ServiceInfo(
        service=presence.service,
        instance=presence.instance,
        state=presence.state,
        problems=presence.problems,
        started_at=_time_of(presence.started_at_ns),
    )


def _time_of(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns / 1e9, UTC)
