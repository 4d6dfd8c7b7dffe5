"""The detector's wiring: frames in, tracks and face shots out; photos in, faces to enrol out."""

import cv2

from mien.contracts.events import FaceCheckRequested, PhotoSubmitted
from mien.contracts.topics import ENROLMENTS, FACE_CHECKS, FRAMES
from mien.runtime.bus import open_consumer, open_event_producer, open_frame_producer
from mien.runtime.cameras import CameraDirectory, CameraRegistry
from mien.runtime.event_loop import DeadLetterOffice, handle_events
from mien.runtime.redis_connection import connect_redis
from mien.runtime.service import Service, announce_presence, run_service, run_until_stopped
from mien.runtime.settings import settings_from_command_line
from services.detector.camera_records import CameraRecords
from services.detector.config import DetectorSettings
from services.detector.enrolment import EnrolmentRoad
from services.detector.face_checks import FaceCheckRoad
from services.detector.frame_reader import GROUP, FrameOwnership, FrameReader
from services.detector.frame_worker import FrameWorker, Pipelines
from services.detector.mtcnn import MtcnnDetector
from services.detector.outlets import CloseupWishes, EventOutlet, Outlets, PreviewOutlet


async def run(service: Service, settings: DetectorSettings) -> None:
    """Work on frames and photos until the service is told to stop."""
    ownership = FrameOwnership(service)
    limits, threads = settings.mtcnn_limits(), settings.inference_threads
    async with (
        connect_redis(settings.redis) as redis,
        open_event_producer(settings.kafka) as events,
        open_frame_producer(settings.kafka) as droppable,
    ):
        cameras = CameraDirectory(CameraRegistry(redis, partitions=settings.kafka.partitions))
        await cameras.wait_until_known(service)
        async with open_consumer(
            settings.kafka,
            FRAMES,
            GROUP,
            listener=ownership,
            offset_reset="latest",
            max_partition_fetch_bytes=settings.max_partition_fetch_bytes,
        ) as consumer:
            reader = FrameReader(
                consumer,
                ownership=ownership,
                letters=DeadLetterOffice(service.name, events),
                service=service,
            )
            records = CameraRecords(redis, cameras)
            worker = FrameWorker(
                settings,
                detector=MtcnnDetector(limits=limits, inference_threads=threads),
                pipelines=Pipelines(redis, settings),
                cameras=cameras,
                reader=reader,
                outlets=Outlets(
                    EventOutlet(service, events=events, droppable=droppable),
                    PreviewOutlet(redis),
                    CloseupWishes(redis),
                    records,
                ),
                service=service,
            )
            photos = EnrolmentRoad(MtcnnDetector(limits=limits, inference_threads=threads), events)
            checks = FaceCheckRoad(MtcnnDetector(limits=limits, inference_threads=threads), redis)
            await run_until_stopped(
                service,
                cameras.follow(service),
                reader.read(),
                worker.work(),
                worker.follow_watchers(),
                records.run(service),
                handle_events(
                    service,
                    settings.kafka,
                    ENROLMENTS,
                    PhotoSubmitted,
                    photos.handle,
                    purpose="enrolments",
                    max_records=4,
                ),
                handle_events(
                    service,
                    settings.kafka,
                    FACE_CHECKS,
                    FaceCheckRequested,
                    checks.handle,
                    max_records=4,
                    offset_reset="latest",
                ),
                announce_presence(service, redis),
            )


def main() -> None:
    """Run the detector until it is told to stop."""
    settings = settings_from_command_line(DetectorSettings, "Mien detector: frames in, face shots out.")
    # Processes are what uses more cores; OpenCV's own threads would only get in their way.
    cv2.setNumThreads(1)

    async def work(service: Service) -> None:
        await run(service, settings)

    run_service("detector", settings, work)
