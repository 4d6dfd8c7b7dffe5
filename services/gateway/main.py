"""Puts the gateway together: one place that knows all parts."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from redis.asyncio import Redis

from mien.contracts.camera_requests import CameraReply
from mien.contracts.events import (
    CameraStateChanged,
    EmotionEstimated,
    EnrolmentResult,
    IdentityDecided,
    StrangerEvent,
    TirednessEstimated,
    TrackEvent,
    TracksObserved,
)
from mien.contracts.topics import (
    CAMERA_REPLIES,
    CAMERA_STATES,
    EMOTIONS,
    ENROLMENT_RESULTS,
    IDENTITIES,
    STRANGERS,
    TIREDNESS,
    TRACK_EVENTS,
    TRACKS,
    Topic,
)
from mien.runtime.camera_requests import RequestStore
from mien.runtime.cameras import CameraDirectory, CameraRegistry
from mien.runtime.event_loop import handle_events
from mien.runtime.gallery import TemplateStore
from mien.runtime.redis_connection import connect_redis
from mien.runtime.rules import RuleStore
from mien.runtime.secrets import open_box
from mien.runtime.service import Service, announce_presence, run_service, run_until_stopped
from mien.runtime.settings import settings_from_command_line
from services.gateway.accounts import Accounts, load_cli_token
from services.gateway.app import create_app
from services.gateway.camera_history import CameraStateBook
from services.gateway.camera_passwords import encrypt_passwords
from services.gateway.camera_questions import CameraQuestions
from services.gateway.config import GatewaySettings
from services.gateway.context import Context
from services.gateway.database import Database
from services.gateway.denials import Denials
from services.gateway.enrolment import EnrolmentRoad
from services.gateway.face_checks import FaceChecks
from services.gateway.feed import LiveFeed
from services.gateway.imports import Imports
from services.gateway.looks import LooksKeeper
from services.gateway.merge import TrackStore
from services.gateway.names import Names
from services.gateway.photo_judge import PhotoJudge
from services.gateway.publisher import FramePublisher, Publisher
from services.gateway.sightings import SightingRecorder
from services.gateway.stranger_book import StrangerBook
from services.gateway.thresholds import ThresholdDesk
from services.gateway.track_names import TrackNames
from services.gateway.training import TrainingDesk
from services.gateway.web import listen, serve_web
from services.gateway.webcams import Webcams

_CONSUMER_GRACE_SECONDS = 4.0
_CANCEL_AGAIN_SECONDS = 0.5


def main() -> None:
    """Run the gateway as its own process."""
    settings = settings_from_command_line(
        GatewaySettings, "Gateway: REST, live websocket, merge of results, enrolment and history"
    )
    run_service("gateway", settings, lambda service: run_gateway(service, settings))


async def run_gateway(service: Service, settings: GatewaySettings) -> None:
    """Run until the service is told to stop; Redis and Kafka may come and go meanwhile."""
    listener = listen(settings.host, settings.port)
    database = Database(settings.database_url.get_secret_value())
    try:
        await database.create_tables()
        cli_token = await asyncio.to_thread(load_cli_token, settings.cli_token_path)
        accounts = Accounts(database, session_hours=settings.session_hours, cli_token=cli_token)
        await accounts.create_first_user(settings.first_password_path)
        async with connect_redis(settings.redis) as redis:
            context = build_context(service, settings, database=database, accounts=accounts, redis=redis)
            app = create_app(context, dashboard_dir=settings.dashboard_dir)
            await run_until_stopped(
                service,
                serve_web(service, app, listener, max_message_bytes=2 * settings.webcam_frame_bytes),
                announce_presence(service, redis),
                context.directory.follow(service),
                *_event_work(context),
            )
    finally:
        listener.close()
        await database.close()


def build_context(
    service: Service, settings: GatewaySettings, *, database: Database, accounts: Accounts, redis: Redis
) -> Context:
    """Put together what requests need."""
    secrets = open_box(settings.secrets)
    registry = CameraRegistry(redis, partitions=settings.kafka.partitions, secrets=secrets)
    publisher = Publisher(settings.kafka)
    directory = CameraDirectory(registry)
    rules = RuleStore(redis)
    names = Names(database, redis, rules)
    strangers = StrangerBook(database, redis, rules=rules, names=names, directory=directory)
    templates, thresholds = TemplateStore(redis), ThresholdDesk(redis, rules)
    photo_judge = PhotoJudge(database, templates, thresholds)
    denials = Denials(database, redis, rules=rules, names=names, strangers=strangers)
    enrolment = EnrolmentRoad(
        database, templates, publisher, photo_judge, partitions=settings.kafka.partitions
    )
    return Context(
        service=service,
        settings=settings,
        database=database,
        redis=redis,
        accounts=accounts,
        registry=registry,
        directory=directory,
        templates=templates,
        rules=rules,
        names=names,
        strangers=strangers,
        thresholds=thresholds,
        training=TrainingDesk(
            redis,
            jobs=settings.jobs_dir,
            datasets=settings.datasets_dir,
            model_repo=settings.model_repo,
        ),
        photo_judge=photo_judge,
        denials=denials,
        enrolment=enrolment,
        imports=Imports(
            database,
            settings.import_dir,
            enrolment=enrolment,
            templates=templates,
            denials=denials,
            names=names,
            photo_judge=photo_judge,
        ),
        publisher=publisher,
        questions=CameraQuestions(
            RequestStore(redis, secrets), publisher, partitions=settings.kafka.partitions
        ),
        frames=FramePublisher(settings.kafka),
        webcams=Webcams(redis, registry, directory, publisher, settings),
        track_names=TrackNames(
            database,
            redis,
            names=names,
            denials=denials,
            enrolment=enrolment,
            publisher=publisher,
            directory=directory,
        ),
        face_checks=FaceChecks(
            redis,
            publisher,
            partitions=settings.kafka.partitions,
            most_at_once=settings.max_coach_checks,
            per_second=settings.coach_checks_per_second,
        ),
        looks=LooksKeeper(database, redis, keep_days=settings.emotion_keep_days),
    )


def _event_work(context: Context) -> list[Coroutine[Any, Any, None]]:
    service, kafka = context.service, context.settings.kafka
    tracks = TrackStore(context.redis)
    recorder = SightingRecorder(
        tracks,
        context.database,
        context.publisher,
        directory=context.directory,
        names=context.names,
        silent_seconds=context.settings.silent_track_seconds,
    )
    states = CameraStateBook(
        context.database,
        context.redis,
        directory=context.directory,
        keep_days=context.settings.camera_history_days,
    )
    feed = LiveFeed(
        context.redis,
        context.hub,
        tracks,
        directory=context.directory,
        registry=context.registry,
        names=context.names,
    )
    consumers: tuple[tuple[Topic, Any, Any], ...] = (
        (IDENTITIES, IdentityDecided, recorder.merge_results),
        (EMOTIONS, EmotionEstimated, recorder.merge_results),
        (TIREDNESS, TirednessEstimated, recorder.merge_results),
        (TRACK_EVENTS, TrackEvent, recorder.note_events),
        (TRACKS, TracksObserved, recorder.note_seen),
        (ENROLMENT_RESULTS, EnrolmentResult, context.enrolment.settle),
        (STRANGERS, StrangerEvent, context.strangers.note),
        (CAMERA_REPLIES, CameraReply, context.questions.note),
        (CAMERA_STATES, CameraStateChanged, states.note),
    )

    async def consume(topic: Topic, event_type: Any, handle: Any) -> None:
        # Without the cameras' policies nothing may be written down.
        await context.directory.wait_until_known(service)
        await _until_stopped(service, context.publisher.wait_connected())
        if service.stop.is_set():
            return
        offset_reset = "latest" if topic in (TRACKS, CAMERA_REPLIES) else "earliest"
        work = handle_events(service, kafka, topic, event_type, handle, offset_reset=offset_reset)
        await _until_stopped(service, work, grace_seconds=_CONSUMER_GRACE_SECONDS)

    endless = (
        feed.run(service),
        context.publisher.run(service),
        context.frames.run(service),
        context.webcams.run(service),
        context.enrolment.run(service),
        context.photo_judge.run(service),
        context.imports.run(service),
        recorder.run(service),
        context.strangers.run(service),
        states.run(service),
        encrypt_passwords(service, context.registry),
        context.looks.run(service),
    )
    return [
        *(consume(*consumer) for consumer in consumers),
        *(_until_stopped(service, work) for work in endless),
    ]


async def _until_stopped(
    service: Service, work: Coroutine[Any, Any, None], *, grace_seconds: float = 0.0
) -> None:
    """Run *work* until the service stops, then cancel what has not ended by itself after a grace."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(service.stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done() and grace_seconds:
            await asyncio.wait({working}, timeout=grace_seconds)
    finally:
        stopping.cancel()
        while not working.done():
            # Again and again: a library that waits with asyncio.wait_for may swallow one of them.
            working.cancel()
            await asyncio.wait({working}, timeout=_CANCEL_AGAIN_SECONDS)
    if not working.cancelled():
        working.result()
