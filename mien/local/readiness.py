"""Ways to ask a program whether it does its work; none raises while it is still starting."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import aiohttp
import psutil
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from redis.asyncio import Redis
from redis.exceptions import RedisError

_TIMEOUT_SECONDS: Final = 2.0


async def accepts_connections(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), _TIMEOUT_SECONDS)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


def listens_on(pid: int, ports: Iterable[int]) -> bool:
    """Whether a process itself holds ports: an answer may come from somebody else who took them meanwhile."""
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return False
    held = {connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN}
    return held.issuperset(ports)


async def is_kafka_ready(port: int) -> bool:
    """Whether the broker is part of its cluster; a broker that still recovers accepts connections already."""
    if not await accepts_connections(port):
        return False
    admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}", request_timeout_ms=2000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()


async def is_redis_ready(url: str) -> bool:
    """Whether Redis answers and has loaded its data."""
    client = Redis.from_url(url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS)
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()


async def is_http_ready(url: str) -> bool:
    """Whether a service answers ``/ready`` with 200."""
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False
