"""The gateway's producers: they connect on their own, and never keep a request waiting for the broker."""

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from mien.contracts.events import Event
from mien.contracts.frames import Frame
from mien.contracts.topics import FRAMES, Topic
from mien.errors import TransientError
from mien.runtime.bus import open_event_producer, open_frame_producer, publish
from mien.runtime.service import Service
from mien.runtime.settings import KafkaSettings

_PUBLISH_SECONDS = 5.0
_CHECK_SECONDS = 5.0


class FramePublisher:
    """Publishes what browsers' webcams see; a frame that the broker doesn't take soon is lost."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, frame: Frame, *, partition: int) -> None:
        """Send one frame and wait until the broker has it.

        Raises:
            TransientError: The broker is away or too slow.
        """
        if self._producer is None:
            raise TransientError("Kafka does not answer yet")
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS):
                await self._producer.send_and_wait(
                    FRAMES.name, frame.jpeg, partition=partition, headers=frame.headers()
                )
        except (KafkaError, OSError, TimeoutError) as error:
            raise TransientError(f"publishing a frame: {type(error).__name__}") from error

    async def run(self, service: Service) -> None:
        """Hold the connection until cancelled or the service stops."""
        async with open_frame_producer(self._settings) as producer:
            self._producer = producer
            try:
                await service.stop.wait()
            finally:
                self._producer = None


class Publisher:
    """Publishes events while the broker is there, and says so when it isn't."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._first_contact = asyncio.Event()

    async def wait_connected(self) -> None:
        """Return once the broker has answered for the first time."""
        await self._first_contact.wait()

    async def publish(self, topic: Topic, event: Event, *, partition: int) -> None:
        """Send one event and wait until the broker has it.

        Raises:
            TransientError: The broker is away or too slow.
        """
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS):
                await publish(self._connected(), topic, event, partition=partition)
        except TimeoutError as error:
            raise TransientError(f"the broker took longer than {_PUBLISH_SECONDS:.0f} s") from error

    async def publish_json(
        self, topic: Topic, value: bytes, *, key: str, content_type: str, partition: int
    ) -> None:
        """Send one JSON message for integrators and wait until the broker has it.

        Raises:
            TransientError: The broker is away or too slow.
        """
        headers = [("content-type", content_type.encode())]
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS):
                await self._connected().send_and_wait(
                    topic.name, value, key=key.encode(), headers=headers, partition=partition
                )
        except (KafkaError, OSError, TimeoutError) as error:
            raise TransientError(f"publishing to {topic.name}: {error}") from error

    async def run(self, service: Service) -> None:
        """Hold the connection until cancelled, and report when the broker is away."""
        service.health.report("kafka", "Kafka does not answer")
        async with open_event_producer(self._settings) as producer:
            self._producer = producer
            self._first_contact.set()
            try:
                while not service.stop.is_set():
                    await self._check(producer, service)
                    await asyncio.sleep(_CHECK_SECONDS)
            finally:
                self._producer = None

    async def _check(self, producer: AIOKafkaProducer, service: Service) -> None:
        try:
            await producer.client.fetch_all_metadata()
            service.health.resolve("kafka")
        except (KafkaError, OSError):
            service.health.report("kafka", "Kafka does not answer")

    def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise TransientError("Kafka does not answer yet")
        return self._producer
