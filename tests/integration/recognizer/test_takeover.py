"""Two recognizers share the work; when one is killed, nothing that was acknowledged is lost."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from aiokafka import AIOKafkaConsumer

from mien.contracts.events import IdentityDecided, decode_event
from mien.contracts.models import FACE_EMBEDDER
from mien.contracts.topics import IDENTITIES, IDENTITY_FACES
from mien.local.ports import choose_ports
from mien.local.process import ProcessSpec
from mien.runtime.bus import create_topics, open_event_producer, publish
from mien.runtime.settings import KafkaSettings
from mien.vision.jpeg import encode_jpeg_rgb
from tests.samples import face_shot
from tests.stack import cannot_run, run_native

REPOSITORY = Path(__file__).parents[3]
PARTITIONS = 12
TRACKS, SHOTS_PER_TRACK = 60, 4
TRACK_PREFIX = "takeover:9:"


def service(name: str, health_port: int, **environment: str) -> ProcessSpec:
    """Return how to run one of our services against the neighbours in *environment*."""

    async def is_ready() -> bool:
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"http://127.0.0.1:{health_port}/ready")).status_code == 200
        except httpx.TransportError:
            return False

    prefix = f"MIEN_{name.upper()}_"
    return ProcessSpec(
        name=f"{name}-{health_port}",
        command=(sys.executable, "-m", f"services.{name}"),
        environment={**environment, f"{prefix}HEALTH_PORT": str(health_port)},
        folder=REPOSITORY,
        check_ready=is_ready,
    )


async def owned_partitions(health_port: int) -> int:
    """Return how many partitions a worker owns, from its metrics."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{health_port}/metrics")).text
    lines = [line for line in text.splitlines() if line.startswith("mien_assigned_partitions{")]
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines)


@pytest.fixture(scope="module")
def environment(
    kafka_bootstrap: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """A broker, a Redis and a model server with the real embedder."""
    if not (REPOSITORY / "model_repo" / FACE_EMBEDDER.name / "1" / "saved_model.pb").exists():
        cannot_run("the embedder is not built: run `mien models build`")
    ports = choose_ports({"serving": 28500, "health": 28600}, {})
    environment = {
        "MIEN_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "MIEN_KAFKA_PARTITIONS": str(PARTITIONS),
        "MIEN_REDIS_URL": redis_url,
        "MIEN_SERVING_ADDRESS": f"127.0.0.1:{ports['serving']}",
        "MIEN_MODEL_SERVER_PORT": str(ports["serving"]),
        "MIEN_MODEL_SERVER_MODEL_REPO": str(REPOSITORY / "model_repo"),
    }
    spec = service("model_server", ports["health"], **environment)
    with run_native(spec, log_path=tmp_path_factory.mktemp("serving") / "log"):
        yield environment


@asynccontextmanager
async def collected_identities(settings: KafkaSettings) -> AsyncIterator[list[IdentityDecided]]:
    """Gather everything that is published on the identities topic from the beginning."""
    consumer = AIOKafkaConsumer(
        IDENTITIES.name, bootstrap_servers=settings.bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    seen: list[IdentityDecided] = []

    async def collect() -> None:
        async for record in consumer:
            decided = decode_event(record.value, IdentityDecided)
            if decided.track_id.startswith(TRACK_PREFIX):  # other tests leave shots on the same broker
                seen.append(decided)

    task = asyncio.create_task(collect())
    try:
        yield seen
    finally:
        task.cancel()
        await consumer.stop()


async def until(condition: Callable[[], bool | Awaitable[bool]], *, within_seconds: float) -> None:
    """Wait until a function of no arguments, plain or async, returns something true."""
    async with asyncio.timeout(within_seconds):
        while True:
            result = condition()
            if result if isinstance(result, bool) else await result:
                return
            await asyncio.sleep(0.05)


async def test_killed_recognizer_is_replaced_and_nothing_acknowledged_is_lost(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Every shot that the broker took gets its decision, once, though a worker dies in the middle."""
    settings = KafkaSettings(
        bootstrap_servers=environment["MIEN_KAFKA_BOOTSTRAP_SERVERS"], partitions=PARTITIONS
    )
    await create_topics(settings)
    ports = choose_ports({"first": 28700, "second": 28800}, {})
    with ExitStack() as stack:
        first, _ = (
            stack.enter_context(
                run_native(service("recognizer", port, **environment), log_path=tmp_path / name)
            )
            for name, port in ports.items()
        )

        async with collected_identities(settings) as seen, open_event_producer(settings) as producer:
            picture = np.random.default_rng(1).integers(0, 255, (200, 200, 3), dtype=np.uint8)
            jpeg = encode_jpeg_rgb(picture)
            partitions = len(await producer.partitions_for(IDENTITY_FACES.name))
            halves = [partitions // 2, partitions - partitions // 2]

            async def each_owns_half() -> bool:
                return sorted([await owned_partitions(port) for port in ports.values()]) == halves

            await until(each_owns_half, within_seconds=30)
            sent = set()
            for number in range(SHOTS_PER_TRACK):
                for track in range(TRACKS):
                    shot = face_shot(
                        track_id=f"{TRACK_PREFIX}{track}", shot_number=number + 1, crop_jpeg=jpeg
                    )
                    await publish(producer, IDENTITY_FACES, shot, partition=track % partitions)
                    sent.add((shot.track_id, shot.shot_number))
                if number == 1:
                    await until(lambda: len(seen) > TRACKS // 2, within_seconds=30)
                    first.send_signal(signal.SIGKILL)
            await until(lambda: {(one.track_id, one.shot_number) for one in seen} == sent, within_seconds=60)
    by_place: dict[tuple[str, int], set[str]] = {}
    for one in seen:
        by_place.setdefault((one.track_id, one.shot_number), set()).add(one.event_id)
    assert all(len(event_ids) == 1 for event_ids in by_place.values()), "a replay must repeat the event id"
