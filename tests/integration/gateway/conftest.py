"""A whole gateway on a free port, with a real Redis and, where a test asks for it, a real Kafka."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from mien.local.ports import choose_ports
from mien.runtime.secrets import new_key
from mien.runtime.service import Service
from mien.runtime.settings import KafkaSettings, RedisSettings, SecretSettings
from services.gateway.config import GatewaySettings
from services.gateway.main import run_gateway

PARTITIONS = 4
SECRET_KEY = new_key()
NO_KAFKA = "127.0.0.1:1"


@dataclass(frozen=True)
class RunningGateway:
    """A gateway that answers, and a client that speaks as the command line."""

    service: Service
    client: httpx.AsyncClient
    port: int
    password: str

    @property
    def live_url(self) -> str:
        """Address of the live websocket."""
        return f"ws://127.0.0.1:{self.port}/api/live"

    async def cookie(self) -> str:
        """Log in and return the cookie header."""
        async with httpx.AsyncClient(base_url=self.client.base_url) as browser:
            answer = await browser.post("/api/session", json={"username": "admin", "password": self.password})
            assert answer.status_code == 200, answer.text
            return f"mien_session={browser.cookies['mien_session']}"

    async def add_camera(self, **fields: object) -> str:
        """Register a camera of a name of its own and return its id."""
        camera_id = f"cam-{uuid4().hex[:12]}"
        body = {"camera_id": camera_id, "name": "Door", "url": "rtsp://10.0.0.2/x", **fields}
        answer = await self.client.post("/api/cameras", json=body)
        assert answer.status_code == 201, answer.text
        return camera_id


async def eventually(holds: Callable[[], Awaitable[bool]], *, seconds: float = 20.0) -> None:
    """Poll until something holds.

    Raises:
        TimeoutError: It does not hold in time.
    """
    deadline = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come to hold in time")
        await asyncio.sleep(0.05)


@asynccontextmanager
async def start_gateway(
    folder: Path, redis_url: str, *, kafka: str = NO_KAFKA, **settings: object
) -> AsyncIterator[RunningGateway]:
    """Run a gateway in this process until the context ends; its data stays in *folder*."""
    port = choose_ports({"gateway": 28080}, {})["gateway"]
    gateway_settings = GatewaySettings(
        port=port,
        database_url=SecretStr(f"sqlite:///{folder}/gateway.sqlite"),
        cli_token_path=folder / "token",
        first_password_path=folder / "password",
        dashboard_dir=folder / "dist",
        secrets=SecretSettings(keys=SecretStr(SECRET_KEY)),
        kafka=KafkaSettings(bootstrap_servers=kafka, partitions=PARTITIONS),
        redis=RedisSettings(url=SecretStr(redis_url)),
        **settings,  # type: ignore[arg-type]  # what the test says
    )
    service = Service("gateway", instance=f"test-{uuid4().hex[:8]}")
    running = asyncio.create_task(run_gateway(service, gateway_settings))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

        async def answers() -> bool:
            if running.done():
                running.result()
            try:
                return (await client.get("/api/health")).status_code == 200
            except httpx.TransportError:
                return False

        try:
            await eventually(answers)
            client.headers["Authorization"] = f"Bearer {(folder / 'token').read_text().strip()}"
            yield RunningGateway(service, client, port, (folder / "password").read_text().strip())
        finally:
            service.stop.set()
            async with asyncio.timeout(15):
                await running


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the shared Redis."""
    async with Redis.from_url(redis_url, protocol=2) as redis:
        yield redis


@pytest.fixture
async def gateway(redis_url: str, tmp_path: Path) -> AsyncIterator[RunningGateway]:
    """A gateway with Redis but without Kafka."""
    async with start_gateway(tmp_path, redis_url) as gateway:
        yield gateway
