"""A gateway in memory: SQLite in a folder of the test, no Redis, no Kafka, requests without a network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import fakeredis
import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from pydantic import SecretStr
from redis.asyncio import Redis

from mien.runtime.service import Service
from mien.runtime.settings import SecretSettings
from services.gateway.accounts import Accounts
from services.gateway.app import create_app
from services.gateway.config import GatewaySettings
from services.gateway.context import Context
from services.gateway.database import Database
from services.gateway.main import build_context

# What makes guessing slow would make the tests slow, too.
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
CLI_TOKEN = "token-of-the-command-line"


@dataclass(frozen=True)
class Gateway:
    """A gateway under test and the password it was started with."""

    context: Context
    client: httpx.AsyncClient
    password: str

    async def log_in(self) -> None:
        """Give the client a session cookie."""
        answer = await self.client.post("/api/session", json={"username": "admin", "password": self.password})
        assert answer.status_code == 200, answer.text

    def use_token(self) -> None:
        """Let the client speak as the command line does."""
        self.client.headers["Authorization"] = f"Bearer {CLI_TOKEN}"


@cache
def application() -> FastAPI:
    """The routes, put together once for all tests: FastAPI works out their parameters at a first request."""
    return create_app(None, dashboard_dir=Path("not-built"))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database."""
    database = Database(f"sqlite:///{tmp_path}/gateway.sqlite")
    await database.create_tables()
    yield database
    await database.close()


@pytest.fixture
async def gateway(database: Database, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway whose Redis and Kafka are away."""
    nowhere = Redis.from_url("redis://127.0.0.1:1/0")
    async with start_gateway(database, tmp_path, nowhere) as gateway:
        yield gateway
    await nowhere.aclose()


@pytest.fixture
async def gateway_with_redis(database: Database, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway with a Redis in memory, whose Kafka is away; it speaks as the command line."""
    async with (
        fakeredis.FakeAsyncRedis() as redis,
        start_gateway(database, tmp_path, redis) as gateway,
    ):
        gateway.use_token()
        yield gateway


@asynccontextmanager
async def start_gateway(
    database: Database, tmp_path: Path, redis: Redis, **folders: Path
) -> AsyncIterator[Gateway]:
    """Put a gateway together, with settings that name *folders*, and let it answer until the context ends."""
    settings = GatewaySettings(
        database_url=SecretStr("sqlite://"),
        first_password_path=tmp_path / "password",
        secrets=SecretSettings(key_file=tmp_path / "keys"),
        **folders,  # type: ignore[arg-type]
    )
    accounts = Accounts(database, session_hours=1, cli_token=CLI_TOKEN, hasher=QUICK)
    await accounts.create_first_user(settings.first_password_path)
    context = build_context(Service("gateway"), settings, database=database, accounts=accounts, redis=redis)
    app = application()
    app.state.context = context
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://mien.test") as client:
        yield Gateway(context, client, (tmp_path / "password").read_text().strip())
