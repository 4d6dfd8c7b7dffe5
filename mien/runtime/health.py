"""``/live``, ``/ready`` and ``/metrics`` of a process, and the state they speak of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


class Health:
    """What is wrong with a process, and whether that keeps it from being ready.

    A problem is named by a short key and told in words; ``starting`` stands until the first
    :meth:`started`.
    """

    def __init__(self) -> None:
        self._problems: dict[str, str] = {"starting": "still starting"}
        self._shortcomings: dict[str, str] = {}

    def started(self) -> None:
        """Say that the process has done all it needs to begin its work."""
        self._problems.pop("starting", None)

    def report(self, key: str, problem: str) -> None:
        """Say that something is wrong; the same *key* replaces what it said before."""
        self._problems[key] = problem

    def fall_short(self, key: str, problem: str) -> None:
        """Say that something is wrong that the process does its work without: it stays ready."""
        self._shortcomings[key] = problem

    def resolve(self, key: str) -> None:
        """Say that what *key* stood for is well again."""
        self._problems.pop(key, None)
        self._shortcomings.pop(key, None)

    @property
    def problems(self) -> list[str]:
        """All that is wrong, in words."""
        return [*self._problems.values(), *self._shortcomings.values()]

    @property
    def state(self) -> Literal["starting", "ready", "degraded"]:
        """What is shown to people: degraded where anything is wrong."""
        return "starting" if self.is_starting else "degraded" if self.problems else "ready"

    @property
    def is_starting(self) -> bool:
        """Whether the process has not begun its work yet."""
        return "starting" in self._problems

    @property
    def is_ready(self) -> bool:
        """Whether nothing keeps it from its work."""
        return not self._problems


@asynccontextmanager
async def serve_health(health: Health, *, host: str, port: int) -> AsyncIterator[int]:
    """Answer health questions while the context is open; yields the port it listens on."""

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def ready(_: web.Request) -> web.Response:
        return web.json_response(
            {"ready": health.is_ready, "problems": health.problems}, status=200 if health.is_ready else 503
        )

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/live", live), web.get("/ready", ready), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
