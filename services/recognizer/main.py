"""The recognizer's wiring: face shots in, identities and templates out."""

from collections.abc import Sequence
from functools import partial

import msgspec
import numpy as np
import structlog
from aiokafka import AIOKafkaProducer
from numpy.typing import NDArray
from redis.asyncio import Redis
from redis.exceptions import RedisError

from mien.contracts.events import FaceShot, IdentityDecided, TemplateCreated, derive_event_id
from mien.contracts.recognition import DAY_SECONDS, TrackVector, encode_record, track_vector_key
from mien.contracts.shared_state import TRACK_STATE_TTL_SECONDS, Template, vote_key
from mien.contracts.topics import ENROLMENT_RESULTS, IDENTITIES, IDENTITY_FACES
from mien.errors import TransientError
from mien.runtime import metrics
from mien.runtime.bus import open_event_producer, publish
from mien.runtime.embedding import FaceEmbedding
from mien.runtime.event_loop import Received, handle_events
from mien.runtime.gallery import TemplateStore
from mien.runtime.model_watch import watch_models
from mien.runtime.redis_connection import connect_redis
from mien.runtime.service import Service, announce_presence, run_service, run_until_stopped, wait_or_stop
from mien.runtime.serving import ServingClient
from mien.runtime.settings import settings_from_command_line
from mien.runtime.shots import align_shots
from mien.vision.similarity import encode_vector, unit
from services.recognizer.classifier import IdentityClassifier
from services.recognizer.config import RecognizerSettings
from services.recognizer.kept_shots import KeptShots
from services.recognizer.knowledge import Knowledge
from services.recognizer.pipeline import Vote, add_shot, decide, is_new, mean_vector
from services.recognizer.visits import StrangerVisits

log = structlog.get_logger()

GALLERY_POLL_SECONDS = 0.5


class Recognizer:
    """Embeds the faces of a batch in one call and decides, shot by shot, who each track is."""

    def __init__(
        self,
        settings: RecognizerSettings,
        *,
        redis: Redis,
        serving: ServingClient,
        producer: AIOKafkaProducer,
        classifier: IdentityClassifier | None = None,
    ) -> None:
        """Take the neighbours; without a classifier the gallery decides alone."""
        self._settings = settings
        self._spec = settings.embedder_spec
        self._redis = redis
        self._embedding = FaceEmbedding(
            serving,
            self._spec,
            version=settings.embedder_version,
            max_batch_size=settings.max_batch_size,
            timeout_seconds=settings.serving.timeout_seconds,
        )
        self._producer = producer
        self._classifier = classifier
        self._templates = TemplateStore(redis)
        self._kept_shots = KeptShots(
            redis, most=settings.kept_shots, keep_seconds=settings.kept_shots_seconds
        )
        self._knowledge = Knowledge(settings, redis)
        self._visits = StrangerVisits(self._knowledge, self._spec.name, producer)

    async def handle(self, received: Sequence[Received[FaceShot]]) -> None:
        """Work on a batch of shots; publishes before it saves, so that a replay changes nothing."""
        try:
            if self._knowledge.gallery.generation < 0:
                await self.refresh()
            votes = await self._load_votes([one.event.track_id for one in received])
            pending = [one for one in received if self._counts(one.event, votes)]
            vectors = await self._embed([one.event for one in pending])
            for one, vector in zip(pending, vectors, strict=True):
                if one.event.purpose == "enrolment":
                    await self._enrol(one, vector)
                elif self._counts(one.event, votes):
                    await self._identify(one, vector, votes)
        except (RedisError, OSError) as error:
            raise TransientError(f"Redis does not answer: {error}") from error

    async def follow_knowledge(self, service: Service) -> None:
        """Read what has changed of people and rules, within a second, until the service stops."""
        while not service.stop.is_set():
            try:
                await self.refresh()
                service.health.resolve("gallery")
            except (RedisError, OSError) as error:
                service.health.report("gallery", f"Redis does not answer: {type(error).__name__}")
            await wait_or_stop(service.stop, GALLERY_POLL_SECONDS)

    async def refresh(self) -> None:
        """Read what has changed of people and rules now."""
        await self._knowledge.refresh()

    async def _embed(self, shots: Sequence[FaceShot]) -> NDArray[np.float32]:
        if not shots:
            return np.empty((0, self._spec.dimensions), dtype=np.float32)
        return await self._embedding.embed(partial(align_shots, shots))

    async def _identify(
        self, one: Received[FaceShot], vector: NDArray[np.float32], votes: dict[str, Vote]
    ) -> None:
        shot, thresholds = one.event, self._knowledge.thresholds
        vote = add_shot(
            votes.get(shot.track_id),
            shot,
            vector,
            model=self._spec.name,
            model_version=self._settings.embedder_version,
            thresholds=thresholds,
        )
        opinion = await self._classifier.opinion(unit(mean_vector(vote))) if self._classifier else None
        vote, decided = decide(
            vote,
            shot,
            self._knowledge.gallery,
            thresholds,
            decision=self._settings.decision,
            opinion=opinion,
        )
        vote, decided = await self._visits.note(one, vote, decided)
        await publish(self._producer, IDENTITIES, decided, partition=one.partition)
        await self._save(vote, decided)
        await self._keep_view(shot, vote)
        votes[shot.track_id] = vote
        metrics.IDENTITIES.labels(decided.answer, decided.state).inc()
        if vote.restarted:
            metrics.VOTES_RESTARTED.inc()

    async def _keep_view(self, shot: FaceShot, vote: Vote) -> None:
        """Keep a good view for a while, but not of somebody who must not be recognised."""
        gallery, thresholds = self._knowledge.gallery, self._knowledge.thresholds
        if gallery.resembles_inactive(mean_vector(vote), thresholds.accept_similarity):
            await self._kept_shots.forget(shot.track_id)
        else:
            await self._kept_shots.keep(shot, begin_anew=vote.restarted)

    async def _save(self, vote: Vote, decided: IdentityDecided) -> None:
        """Keep the vote for whoever goes on, and of a named track its vector, so that it can be denied."""
        track_id, encoded = decided.track_id, msgspec.msgpack.encode(vote)
        await self._redis.set(vote_key(track_id), encoded, ex=TRACK_STATE_TTL_SECONDS)
        if decided.answer == "known":
            looks = TrackVector(
                model=vote.model,
                model_version=vote.model_version,
                vector=encode_vector(unit(mean_vector(vote))),
            )
            kept_seconds = int(self._knowledge.rules.stranger_policy.keep_days * DAY_SECONDS)
            await self._redis.set(
                track_vector_key(track_id),
                encode_record(looks),
                ex=max(kept_seconds, TRACK_STATE_TTL_SECONDS),
            )

    async def _enrol(self, one: Received[FaceShot], vector: NDArray[np.float32]) -> None:
        shot, version = one.event, self._settings.embedder_version
        template = Template(
            template_id=derive_event_id(shot.track_id, self._spec.name, version),
            person_id=shot.person_id or "",
            photo_id=shot.track_id,
            model=self._spec.name,
            model_version=version,
            vector=vector.astype("<f4").tobytes(),
            quality=shot.quality.score,
        )
        await self._templates.add(template)
        created = TemplateCreated(
            camera_id="",
            event_id=template.template_id,
            captured_at_ns=shot.captured_at_ns,
            photo_id=template.photo_id,
            person_id=template.person_id,
            template_id=template.template_id,
            model=template.model,
            model_version=version,
            quality=shot.quality,
            face_jpeg=shot.crop_jpeg,
        )
        await publish(self._producer, ENROLMENT_RESULTS, created, partition=one.partition)
        log.info("template.created", photo_id=template.photo_id)

    def _counts(self, shot: FaceShot, votes: dict[str, Vote]) -> bool:
        if shot.purpose == "enrolment":
            return True
        version = self._settings.embedder_version
        return is_new(votes.get(shot.track_id), shot, model=self._spec.name, model_version=version)

    async def _load_votes(self, track_ids: Sequence[str]) -> dict[str, Vote]:
        unique = sorted(set(track_ids))
        values = await self._redis.mget([vote_key(track_id) for track_id in unique]) if unique else []
        decoder = msgspec.msgpack.Decoder(Vote)
        return {
            track_id: decoder.decode(value) for track_id, value in zip(unique, values, strict=True) if value
        }


def _classifier(settings: RecognizerSettings, serving: ServingClient) -> IdentityClassifier:
    return IdentityClassifier(
        serving,
        settings.embedder_spec,
        embedder_version=settings.embedder_version,
        label=settings.classifier_label,
        timeout_seconds=settings.serving.timeout_seconds,
    )


def main() -> None:
    """Run the recognizer until it is told to stop."""
    settings = settings_from_command_line(
        RecognizerSettings, "Mien recognizer: face shots in, identities out."
    )

    embedder_models = [part.model.name for part in settings.embedder_spec.parts]

    async def work(service: Service) -> None:
        async with (
            connect_redis(settings.redis) as redis,
            ServingClient(settings.serving.address) as serving,
            open_event_producer(settings.kafka) as producer,
        ):
            classifier = None if settings.decision == "gallery" else _classifier(settings, serving)
            recognizer = Recognizer(
                settings, redis=redis, serving=serving, producer=producer, classifier=classifier
            )
            await run_until_stopped(
                service,
                *([classifier.follow(service)] if classifier else []),
                recognizer.follow_knowledge(service),
                watch_models(service, serving, embedder_models, meanwhile="new faces wait for their names"),
                handle_events(service, settings.kafka, IDENTITY_FACES, FaceShot, recognizer.handle),
                announce_presence(service, redis),
            )

    run_service("recognizer", settings, work)
