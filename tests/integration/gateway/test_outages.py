"""What the gateway needs goes away and comes back."""

import asyncio
import json
from functools import partial
from pathlib import Path

import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from mien.contracts.shared_state import preview_channel
from mien.local.ports import choose_ports
from mien.local.redis_server import redis_process
from tests.integration.gateway.conftest import RunningGateway, eventually, start_gateway
from tests.integration.gateway.test_live import preview, watch
from tests.stack import run_native


async def answers(gateway: RunningGateway, status_code: int) -> bool:
    answer = await gateway.client.get("/api/cameras", timeout=30)
    if answer.status_code == 503:
        assert "Redis" in answer.json()["detail"]
    return answer.status_code == status_code


async def test_lost_redis_heals_by_itself(tmp_path: Path) -> None:
    """While Redis is away requests say so; when it is back the same live connection goes on."""
    port = choose_ports({"redis": 24379}, {})["redis"]
    url = f"redis://127.0.0.1:{port}/0"
    start_redis = partial(run_native, redis_process(tmp_path / "redis", port=port), log_path=tmp_path / "log")
    with start_redis():
        started = start_gateway(tmp_path, url)
        gateway = await started.__aenter__()
        camera_id = await gateway.add_camera()
        socket = await connect(gateway.live_url, additional_headers={"Cookie": await gateway.cookie()})
        async with Redis.from_url(url) as redis:
            await watch(socket, redis, camera_id)
    try:
        await eventually(partial(answers, gateway, 503))
        assert (await gateway.client.get("/api/people")).status_code == 200
        system = (await gateway.client.get("/api/system", timeout=30)).json()
        assert any("Redis" in problem for problem in system["services"][0]["problems"])
        with start_redis():
            await eventually(partial(answers, gateway, 200))
            async with Redis.from_url(url) as redis:

                async def is_delivered() -> bool:
                    return bool(await redis.publish(preview_channel(camera_id), preview(camera_id, 1, "t")))

                await eventually(is_delivered)
                async with asyncio.timeout(10):
                    while not isinstance(await socket.recv(), bytes):
                        pass
    finally:
        await socket.close()
        await started.__aexit__(None, None, None)


async def test_viewers_are_told_to_come_back(redis_url: str, tmp_path: Path) -> None:
    """A gateway that ends closes its live connections with 1012, and ends in time."""
    async with start_gateway(tmp_path, redis_url) as gateway:
        headers = {"Cookie": await gateway.cookie()}
        sockets = [await connect(gateway.live_url, additional_headers=headers) for _ in range(10)]
        for socket in sockets:
            await socket.send(json.dumps({"type": "watch", "cameras": ["door", "hall"]}))
    for socket in sockets:
        with pytest.raises(ConnectionClosed) as closed:
            await read_to_the_end(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012


async def read_to_the_end(socket: ClientConnection) -> None:
    async with asyncio.timeout(5):
        while True:
            await socket.recv()
