"""What the services of a running stack say to each other, heard on Kafka by whoever measures."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from mien.contracts.events import FaceShot, IdentityDecided, ShotPurpose, TracksObserved, decode_event
from mien.contracts.frames import Frame
from mien.contracts.topics import (
    EMOTION_FACES,
    FRAMES,
    IDENTITIES,
    IDENTITY_FACES,
    MAX_MESSAGE_BYTES,
    TRACKS,
)
from mien.runtime.settings import KafkaSettings

_TOPICS: Final = (FRAMES, TRACKS, IDENTITY_FACES, EMOTION_FACES, IDENTITIES)


@dataclass(frozen=True)
class Shot:
    """A face that was sent to be embedded or read."""

    camera_id: str
    track_id: str
    number: int
    purpose: ShotPurpose
    captured_at_ns: int


@dataclass
class Overheard:
    """All that was said since the listening began.

    Attributes:
        started_at_ns: When each camera took its first frame.
        observed: What each frame of a camera showed.
        shots: Faces sent on; photographs to enrol are left out.
        decided: Decisions about who a track is.
    """

    started_at_ns: dict[str, int] = field(default_factory=dict)
    observed: dict[str, list[TracksObserved]] = field(default_factory=lambda: defaultdict(list))
    shots: list[Shot] = field(default_factory=list)
    decided: list[IdentityDecided] = field(default_factory=list)

    @property
    def undecided(self) -> int:
        """How many shots for identity have not been answered yet."""
        answered = {(one.track_id, one.shot_number) for one in self.decided}
        asked = {(shot.track_id, shot.number) for shot in self.shots if shot.purpose == "identity"}
        return len(asked - answered)


@asynccontextmanager
async def overhear(kafka: KafkaSettings) -> AsyncIterator[Overheard]:
    """Listen from now on, without being part of any group."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap_servers, max_partition_fetch_bytes=MAX_MESSAGE_BYTES
    )
    await consumer.start()
    heard = Overheard()
    try:
        consumer.assign(
            [TopicPartition(topic.name, number) for topic in _TOPICS for number in range(kafka.partitions)]
        )
        await consumer.seek_to_end()
        listening = asyncio.create_task(_listen(consumer, heard))
        try:
            yield heard
            if listening.done():
                listening.result()
        finally:
            listening.cancel()
    finally:
        await consumer.stop()


async def _listen(consumer: AIOKafkaConsumer, heard: Overheard) -> None:
    async for record in consumer:
        note(record, heard)


def note(record: Any, heard: Overheard) -> None:
    """Take in one Kafka record."""
    if record.topic == FRAMES.name:
        frame = Frame.from_record(record.headers, record.value)
        heard.started_at_ns.setdefault(frame.camera_id, frame.captured_at_ns)
    elif record.topic == TRACKS.name:
        observed: TracksObserved = decode_event(record.value, TracksObserved)
        heard.observed[observed.camera_id].append(observed)
    elif record.topic == IDENTITIES.name:
        heard.decided.append(decode_event(record.value, IdentityDecided))
    else:
        shot: FaceShot = decode_event(record.value, FaceShot)
        if shot.purpose != "enrolment":
            heard.shots.append(
                Shot(shot.camera_id, shot.track_id, shot.shot_number, shot.purpose, shot.captured_at_ns)
            )
