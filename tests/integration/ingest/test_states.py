"""What the whole service says of cameras that are lost: as events, and never with a password in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import msgspec
from aiokafka import AIOKafkaConsumer

from mien.contracts.cameras import OpenHours, Schedule
from mien.contracts.events import CameraStateChanged, decode_event
from mien.contracts.shared_state import CAMERAS_KEY
from mien.contracts.topics import CAMERA_STATES
from tests.integration.ingest.harness import CREDENTIALS
from tests.integration.ingest.test_service import Bench, bench

__all__ = ["bench"]


@asynccontextmanager
async def listening(bench: Bench) -> AsyncIterator[AIOKafkaConsumer]:
    """Read what is published of states from now on."""
    consumer = AIOKafkaConsumer(CAMERA_STATES.name, bootstrap_servers=bench.kafka.bootstrap_servers)
    await consumer.start()
    await consumer.seek_to_end()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def heard(consumer: AIOKafkaConsumer, *, camera_id: str, until: str) -> list[CameraStateChanged]:
    """Return a camera's changes until the first to a state."""
    changes: list[CameraStateChanged] = []
    while not changes or changes[-1].state != until:
        record = await consumer.getone()
        event = decode_event(record.value, CameraStateChanged)
        if event.camera_id == camera_id:
            changes.append(event)
    return changes


async def test_a_loss_is_an_event_with_its_reason_and_so_is_the_return(bench: Bench) -> None:
    """Attempts in between are none; an edit and a schedule that closes the camera are."""
    bench.start_replica()
    async with listening(bench) as consumer:
        await bench.add("one")
        first = await heard(consumer, camera_id="one", until="streaming")
        assert {event.state for event in first} <= {"connecting", "streaming"}
        await bench.simulator.rtsp.refuse()
        lost = await heard(consumer, camera_id="one", until="backoff")
        await bench.reaches("one", lambda status: status.reconnects > 3)
        await bench.simulator.rtsp.accept()
        back = await heard(consumer, camera_id="one", until="streaming")
        changes = [*lost, *back]
        assert {event.state for event in changes} <= {"stalled", "backoff", "streaming"}
        assert any("refuses the connection" in event.reason for event in changes)
        assert not any(character.isdigit() for event in changes for character in event.reason)
        assert len({event.event_id for event in changes}) == len(changes) <= 4
        closed = Schedule(time_zone="UTC", hours=[OpenHours(days=["mon"], start="00:00", end="00:01")])
        await bench.registry.update("one", {"schedule": msgspec.to_builtins(closed)})
        stopped = await heard(consumer, camera_id="one", until="stopped")
        assert stopped[-1].reason.startswith("outside its schedule until")
        status = await bench.reaches("one", lambda status: status.state == "stopped")
        assert status.opens_at_ns is not None
        await bench.registry.update("one", {"schedule": None})
        await heard(consumer, camera_id="one", until="streaming")


async def test_no_password_is_ever_written_anywhere(bench: Bench) -> None:
    """Right or wrong, over every protocol, on all kinds of failure: not in logs, states, events or Redis."""
    wrong = "wr@ng:p/ss#2%"
    simulator = bench.simulator
    bench.start_replica(MIEN_LOG_LEVEL="debug")
    async with listening(bench) as consumer:
        closed = "127.0.0.1:9"
        urls = {
            "one": simulator.rtsp_url("one"),
            "two": f"http://{closed}/a.mjpg",
            "three": f"http://{closed}/a.jpg",
            "four": f"http://{closed}/a.m3u8",
        }
        for camera_id, url in urls.items():
            await bench.add(camera_id, url=url, password=wrong)
        seen = [
            await bench.reaches(camera_id, lambda status: status.state in ("backoff", "auth_failed"))
            for camera_id in urls
        ]
        await bench.registry.update("one", {"url": f"rtsps://{closed}/a"})
        seen.append(await bench.reaches("one", lambda status: "refuses" in status.reason))
        await bench.registry.update(
            "one", {"url": simulator.rtsp_url("nobody"), "password": CREDENTIALS.password}
        )
        seen.append(await bench.reaches("one", lambda status: status.state == "not_found"))
        events = await heard(consumer, camera_id="one", until="not_found")
        stored = b"".join((await bench.redis.hgetall(CAMERAS_KEY)).values())
        written = [bench.log_path.read_text(), repr(seen), repr(events), stored.decode(errors="replace")]
        assert "camera.lost" in written[0]
        for password in (wrong, CREDENTIALS.password):
            for form in (password, quote(password), quote(password, safe="")):
                assert not any(form in text for text in written), form
