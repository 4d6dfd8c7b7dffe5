"""A browser as a camera, over a real Redis and Kafka: credit, frames, faces, limits, hostile clients."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer
from PIL import Image
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from mien.contracts.frames import Frame
from mien.contracts.shared_state import Preview, camera_epoch_key, preview_channel, webcam_key
from mien.contracts.topics import FRAMES
from mien.runtime.bus import create_topics
from mien.runtime.settings import KafkaSettings
from tests.integration.gateway.conftest import PARTITIONS, RunningGateway, eventually, start_gateway


def jpeg(width: int = 320, height: int = 240) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "grey").save(file, "JPEG")
    return file.getvalue()


@asynccontextmanager
async def open_webcam(
    gateway: RunningGateway, *, cookie: str | None = None, **wanted: object
) -> AsyncIterator[tuple[ClientConnection, dict[str, Any]]]:
    """Open a webcam as a login of its own and return the socket with the gateway's answer."""
    headers = {"Cookie": cookie or await gateway.cookie()}
    async with connect(webcam_url(gateway), additional_headers=headers) as socket:
        await socket.send(json.dumps({"type": "open", **wanted}))
        yield socket, await hear(socket, "opened")


def webcam_url(gateway: RunningGateway) -> str:
    return f"ws://127.0.0.1:{gateway.port}/api/webcam"


async def hear(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next message of a kind."""
    async with asyncio.timeout(10):
        while True:
            message = json.loads(await socket.recv())
            if message["type"] == kind:
                return dict(message)


async def closed_with(socket: ClientConnection) -> tuple[int, str]:
    """Read until the gateway closes; returns the code and the reason."""
    try:
        async with asyncio.timeout(15):
            while True:
                await socket.recv()
    except ConnectionClosed as closed:
        return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")


@pytest.fixture
async def with_kafka(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[tuple[RunningGateway, KafkaSettings]]:
    """A gateway with everything it needs."""
    kafka = KafkaSettings(bootstrap_servers=kafka_bootstrap, partitions=PARTITIONS)
    await create_topics(kafka)
    async with start_gateway(tmp_path, redis_url, kafka=kafka_bootstrap, webcam_fps=20) as gateway:

        async def is_ready() -> bool:
            return gateway.service.health.is_ready

        await eventually(is_ready)
        yield gateway, kafka


async def test_pictures_become_frames_of_the_camera(
    with_kafka: tuple[RunningGateway, KafkaSettings], redis: Redis
) -> None:
    """They are published on its partition under the frames contract; each gives its credit back."""
    gateway, kafka = with_kafka
    consumer = AIOKafkaConsumer(FRAMES.name, bootstrap_servers=kafka.bootstrap_servers)
    await consumer.start()
    try:
        async with open_webcam(gateway, name="Ada at the door") as (socket, opened):
            began_ns = time.time_ns()
            for number in range(1, 4):
                await socket.send(jpeg())
                credit = await hear(socket, "credit")
                assert (credit["number"], credit["dropped"]) == (number, "")
            camera = (await gateway.client.get(f"/api/cameras/{opened['camera_id']}")).json()
            assert camera["name"] == "Ada at the door"
            frames: list[Frame] = []
            async with asyncio.timeout(10):
                while len(frames) < 3:
                    record = await consumer.getone()
                    frame = Frame.from_record(record.headers, record.value)
                    if frame.camera_id == opened["camera_id"]:
                        assert record.partition == camera["partition"]
                        frames.append(frame)
            assert credit["frame_id"] == frames[-1].frame_id
            epoch = int(await redis.get(camera_epoch_key(opened["camera_id"])) or 0)
            assert {frame.epoch for frame in frames} == {epoch}
            assert all(began_ns <= frame.captured_at_ns <= time.time_ns() for frame in frames)
            assert (frames[0].size_wh, frames[0].jpeg) == ((320, 240), jpeg())
    finally:
        await consumer.stop()


async def test_faces_come_back_to_the_browser(gateway: RunningGateway, redis: Redis) -> None:
    """Without the picture: the browser has its own."""
    async with open_webcam(gateway) as (socket, opened):
        camera_id = opened["camera_id"]
        preview = Preview(
            camera_id=camera_id, frame_id=f"{camera_id}:1:5", captured_at_ns=1, detected_at_ns=2,
            size_wh=(320, 240), boxes_xyxy=[(1.0, 2.0, 3.0, 4.0)], track_ids=["t"], scores=[0.9], jpeg=jpeg(),
        )  # fmt: skip

        async def is_heard() -> bool:
            return bool(await redis.publish(preview_channel(camera_id), msgspec.msgpack.encode(preview)))

        await eventually(is_heard)
        faces = await hear(socket, "faces")
        assert faces["frame"]["frame_id"] == f"{camera_id}:1:5"
        assert faces["frame"]["faces"][0]["box_xyxy"] == [1.0, 2.0, 3.0, 4.0]


async def test_without_a_broker_pictures_are_dropped_in_words(gateway: RunningGateway) -> None:
    """The credit comes back, so that the browser goes on as soon as the broker is there."""
    async with open_webcam(gateway) as (socket, _):
        await socket.send(jpeg())
        credit = await hear(socket, "credit")
        assert credit["frame_id"] is None
        assert "takes no pictures at the moment" in credit["dropped"]


async def test_unreasonable_pictures_are_dropped_in_words(gateway: RunningGateway) -> None:
    """Too many bytes, too many pixels, no picture: the connection lives on."""
    async with open_webcam(gateway) as (socket, opened):
        for picture, words in (
            (b"\xff\xd8" + b"\0" * opened["max_frame_bytes"], "at most"),
            (jpeg(opened["max_side_px"] + 1, 100), "pixels"),
            (b"no picture", "expected a JPEG"),
        ):
            await socket.send(picture)
            assert words in (await hear(socket, "credit"))["dropped"]


async def test_enormous_message_closes_the_connection(gateway: RunningGateway) -> None:
    """Before it is read into memory."""
    async with open_webcam(gateway) as (socket, opened):
        await socket.send(b"\0" * (3 * opened["max_frame_bytes"]))
        assert (await closed_with(socket))[0] == 1009


async def test_who_ignores_credit_is_sent_away(gateway: RunningGateway) -> None:
    """A few pictures too many are dropped; many more end the connection with its reason."""
    async with open_webcam(gateway) as (socket, _):
        for _ in range(40):
            await socket.send(b"\xff\xd8")
        assert await closed_with(socket) == (4400, "pictures were sent without credit")


@pytest.mark.parametrize("first", ["hello", '{"type": "stop"}', '{"type": "open", "name": 3}', "x" * 5000])
async def test_what_is_no_open_message_is_refused(first: str, gateway: RunningGateway) -> None:
    """With what was expected, before there is a camera."""
    headers = {"Cookie": await gateway.cookie()}
    async with connect(webcam_url(gateway), additional_headers=headers) as socket:
        await socket.send(first)
        assert await closed_with(socket) == (4400, "expected an open message first")


@pytest.mark.parametrize(("headers", "code"), [({}, 4401), ({"Origin": "https://evil.example"}, 4403)])
async def test_strangers_are_no_cameras(headers: dict[str, str], code: int, gateway: RunningGateway) -> None:
    """Without a session, or from another site's page."""
    if code == 4403:
        headers = {**headers, "Cookie": await gateway.cookie()}
    async with connect(webcam_url(gateway), additional_headers=headers) as socket:
        assert (await closed_with(socket))[0] == code


async def test_second_tab_of_a_login_takes_over(gateway: RunningGateway) -> None:
    """The first learns why; it stays one camera."""
    cookie = await gateway.cookie()
    async with (
        open_webcam(gateway, cookie=cookie) as (first, one),
        open_webcam(gateway, cookie=cookie) as (_, other),
    ):
        assert (other["camera_id"], other["is_resumed"]) == (one["camera_id"], True)
        assert await closed_with(first) == (4410, "your webcam was opened in another tab")


async def test_stopped_webcam_is_removed_and_a_lost_one_is_kept_for_a_while(
    gateway: RunningGateway, redis: Redis
) -> None:
    """Stopping is soon, losing the connection takes as long as webcams are kept."""
    async with open_webcam(gateway) as (socket, stopped):
        await socket.send(json.dumps({"type": "stop"}))
        assert (await closed_with(socket))[0] == 1000
    async with open_webcam(gateway) as (_, lost):
        pass

    async def ttl(camera_id: str) -> int:
        camera = (await gateway.client.get(f"/api/cameras/{camera_id}")).json()
        return int(await redis.ttl(webcam_key(camera["url"].removeprefix("browser://"))))

    async def is_over() -> bool:
        camera = (await gateway.client.get(f"/api/cameras/{lost['camera_id']}")).json()
        return bool(camera["status"]["state"] == "stalled")

    await eventually(is_over)
    assert await ttl(stopped["camera_id"]) <= 15
    assert await ttl(lost["camera_id"]) > 15


async def test_expressions_are_read_only_where_that_was_ticked(gateway: RunningGateway) -> None:
    """With the purpose in the answer, so that the page can show it."""
    async with open_webcam(gateway) as (_, without), open_webcam(gateway, with_emotion=True) as (_, with_it):
        cameras = {one["camera_id"]: one for one in (await gateway.client.get("/api/cameras")).json()}
        assert cameras[without["camera_id"]]["emotion_policy"] == "off"
        assert cameras[with_it["camera_id"]]["emotion_policy"] == "per_person"
        assert with_it["emotion_purpose"] == cameras[with_it["camera_id"]]["emotion_purpose"] != ""
