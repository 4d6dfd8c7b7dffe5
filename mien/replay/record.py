"""Records what cameras sent, from the ``frames`` topic, without being part of any group."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from mien.contracts.cameras import CAMERA_ID_PATTERN
from mien.contracts.frames import Frame
from mien.contracts.topics import FRAMES, MAX_MESSAGE_BYTES
from mien.errors import ContractError, TransientError
from mien.replay.recording import RecordingWriter

_POLL_MS: Final = 200
_RECORDS_AT_A_TIME: Final = 100


@dataclass
class Recorded:
    """What has been recorded so far.

    Attributes:
        frames: Pictures written.
        missed: Pictures that the broker had thrown away before they could be read, of any camera.
        malformed: Messages that were no frames.
        is_full: It ended because the size was reached.
    """

    frames: int = 0
    missed: int = 0
    malformed: int = 0
    is_full: bool = False


@asynccontextmanager
async def listening(bootstrap_servers: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Listen to all frames from now on.

    Raises:
        TransientError: The broker does not answer.
    """
    consumer = AIOKafkaConsumer(
        FRAMES.name,
        bootstrap_servers=bootstrap_servers,
        auto_offset_reset="latest",
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
    )
    try:
        await consumer.start()
        await consumer.seek_to_end()
        yield consumer
    except (KafkaError, OSError) as error:
        raise TransientError(f"listening at {bootstrap_servers}: {error}") from error
    finally:
        await consumer.stop()


async def record(
    consumer: AIOKafkaConsumer,
    writer: RecordingWriter,
    *,
    seconds: float,
    camera_ids: Collection[str] = (),
    stop: asyncio.Event,
    on_progress: Callable[[Recorded], None],
) -> Recorded:
    """Write frames until the time is over, the recording is full or *stop* is set.

    Args:
        camera_ids: Only these; empty for all.
        on_progress: Called several times a second.

    Raises:
        RecordingError: The disk does not take a picture.
    """
    recorded = Recorded()
    expected: dict[TopicPartition, int] = {}
    until = time.monotonic() + seconds
    while not stop.is_set() and not recorded.is_full and time.monotonic() < until:
        batches = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_RECORDS_AT_A_TIME)
        for partition, records in batches.items():
            recorded.missed += records[0].offset - expected.get(partition, records[0].offset)
            expected[partition] = records[-1].offset + 1
            await asyncio.to_thread(_write, records, writer, camera_ids, recorded)
        on_progress(recorded)
    return recorded


def _write(
    records: list[ConsumerRecord], writer: RecordingWriter, camera_ids: Collection[str], recorded: Recorded
) -> None:
    for one in records:
        try:
            frame = Frame.from_record(one.headers, one.value)
        except ContractError:
            recorded.malformed += 1
            continue
        if not re.fullmatch(CAMERA_ID_PATTERN, frame.camera_id):  # it becomes the name of a folder
            recorded.malformed += 1
            continue
        if camera_ids and frame.camera_id not in camera_ids:
            continue
        if not writer.add(frame):
            recorded.is_full = True
            return
        recorded.frames += 1
