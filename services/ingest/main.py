"""Wiring of the ingest service: who owns which cameras, and what they publish to."""

from collections.abc import Iterable
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from mien.contracts.topics import CAMERAS
from mien.errors import TransientError
from mien.runtime.bus import CountAssignments, open_consumer, open_frame_producer
from mien.runtime.camera_requests import RequestStore
from mien.runtime.cameras import CameraDirectory, CameraRegistry
from mien.runtime.redis_connection import connect_redis
from mien.runtime.secrets import open_box
from mien.runtime.service import Service, announce_presence, run_service, run_until_stopped
from mien.runtime.settings import settings_from_command_line
from services.ingest.config import IngestSettings
from services.ingest.fleet import CameraFleet
from services.ingest.publisher import send_with
from services.ingest.requests import answer_requests
from services.ingest.state_events import StateJournal

GROUP: Final = "mien.ingest.cameras"
_POLL_MS: Final = 500


def main() -> None:
    """Run the service until it is told to stop."""
    settings = settings_from_command_line(IngestSettings, "Reads cameras and publishes their frames.")

    async def work(service: Service) -> None:
        await ingest(service, settings)

    run_service("ingest", settings, work)


async def ingest(service: Service, settings: IngestSettings) -> None:
    """Read the cameras whose partitions this replica owns, until the service stops."""
    async with connect_redis(settings.redis) as redis, open_frame_producer(settings.kafka) as producer:
        secrets = open_box(settings.secrets)
        registry = CameraRegistry(redis, partitions=settings.kafka.partitions, secrets=secrets)
        directory = CameraDirectory(registry)
        journal = StateJournal(service.instance)
        fleet = CameraFleet(service, settings, redis, directory, send=send_with(producer), journal=journal)
        async with open_consumer(
            settings.kafka, CAMERAS, GROUP, listener=Assignments(fleet), offset_reset="latest"
        ) as consumer:
            service.health.started()
            await run_until_stopped(
                service,
                announce_presence(service, redis),
                directory.follow(service),
                follow_changes(service, consumer, directory),
                fleet.run(),
                fleet.report(),
                fleet.follow_wishes(),
                fleet.tell_work(),
                answer_requests(service, settings, RequestStore(redis, secrets)),
                journal.run(service, settings.kafka),
            )


class Assignments(CountAssignments):
    """Passes on what the group decides; a rebalance stops publishing, not reading."""

    def __init__(self, fleet: CameraFleet) -> None:
        super().__init__(GROUP)
        self._fleet = fleet

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Somebody else may own the cameras soon."""
        self._fleet.pause()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """It is settled: close what is lost, open what is gained, go on with the rest."""
        assigned = list(assigned)
        await super().on_partitions_assigned(assigned)
        self._fleet.assign({partition.partition for partition in assigned})


async def follow_changes(service: Service, consumer: AIOKafkaConsumer, directory: CameraDirectory) -> None:
    """Read the registry again as soon as a change is announced.

    Notices are not committed: the registry holds what is true and is polled each second besides.
    """
    while not service.stop.is_set():
        if await consumer.getmany(timeout_ms=_POLL_MS):
            try:
                await directory.refresh()
            except TransientError as error:
                service.health.report("cameras", str(error))
