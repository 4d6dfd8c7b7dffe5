"""The road of a photo: upload → row → ``enrolments`` → (detector, recognizer) → answer → row."""

import asyncio
import hashlib
import zlib
from collections.abc import Sequence

import structlog
from redis.exceptions import RedisError

from mien.contracts.events import (
    EnrolmentResult,
    PhotoRejected,
    PhotoSubmitted,
    TemplateCreated,
    derive_event_id,
)
from mien.contracts.topics import ENROLMENTS
from mien.errors import TransientError
from mien.runtime.event_loop import Received
from mien.runtime.gallery import TemplateStore
from mien.runtime.service import Service
from services.gateway.database import Database
from services.gateway.pause import wait_at_most
from services.gateway.people import mark_submitted, new_id, settle_photo, unsubmitted_photos
from services.gateway.photo_judge import PhotoJudge
from services.gateway.photos import PhotoError, normalize_photo
from services.gateway.publisher import Publisher
from services.gateway.tables import Photo

log = structlog.get_logger()

_BATCH = 8
_RETRY_SECONDS = 5.0


class EnrolmentRoad:
    """Takes photos in, sends them off when the broker is there, and writes down what became of them."""

    def __init__(
        self,
        database: Database,
        templates: TemplateStore,
        publisher: Publisher,
        photo_judge: PhotoJudge,
        *,
        partitions: int,
    ) -> None:
        self._database = database
        self._templates = templates
        self._publisher = publisher
        self._photo_judge = photo_judge
        self._partitions = partitions
        self._wanted = asyncio.Event()
        # A photo of 50 million pixels takes 150 MB while it is decoded: one at a time.
        self._decoding = asyncio.Semaphore(1)

    async def judge(self, upload: bytes, *, person_id: str, filename: str) -> Photo:
        """Return the row for an upload: pending, or rejected when it is no picture."""
        photo = Photo(photo_id=new_id(), person_id=person_id, filename=filename[:255], status="pending")
        photo.upload_sha256 = sha256_of(upload)
        try:
            photo.image_jpeg = await self.encode(upload)
        except PhotoError as error:
            photo.status, photo.reason, photo.explanation = "rejected", error.reason, str(error)
        return photo

    async def encode(self, upload: bytes) -> bytes:
        """Return an upload as it is kept: see :func:`services.gateway.photos.normalize_photo`.

        Raises:
            PhotoError: It is no picture that can be used.
        """
        async with self._decoding:
            return await asyncio.to_thread(normalize_photo, upload)

    def send_soon(self) -> None:
        """Say that there are new photos to send."""
        self._wanted.set()

    async def run(self, service: Service) -> None:
        """Send what the broker hasn't got yet, also from before a restart or an outage, until cancelled."""
        while not service.stop.is_set():
            self._wanted.clear()
            try:
                while await self._send_batch() == _BATCH:
                    pass
                service.health.resolve("enrolment")
            except TransientError as error:
                service.health.report("enrolment", f"photos are waiting to be sent: {error}")
            await wait_at_most(self._wanted, _RETRY_SECONDS)

    async def settle(self, received: Sequence[Received[EnrolmentResult]]) -> None:
        """Write down what became of photos; templates of photos deleted meanwhile are deleted, too.

        Raises:
            TransientError: The database or Redis is away.
        """
        results: list[TemplateCreated | PhotoRejected] = [one.event for one in received]
        settled = await self._database.run(
            lambda session: [settle_photo(session, result) for result in results]
        )
        for result, exists in zip(results, settled, strict=True):
            if not exists and isinstance(result, TemplateCreated):
                try:
                    await self._templates.remove_photo(result.photo_id)
                except (RedisError, OSError) as error:
                    raise TransientError(f"removing a template: {type(error).__name__}") from error
        self._photo_judge.look_soon()

    async def _send_batch(self) -> int:
        photos = await self._database.run(lambda session: unsubmitted_photos(session, _BATCH))
        for photo in photos:
            event = PhotoSubmitted(
                camera_id="",
                event_id=derive_event_id("photo", photo.photo_id),
                captured_at_ns=int(photo.created_at.timestamp() * 1e9),
                photo_id=photo.photo_id,
                person_id=photo.person_id,
                photo_jpeg=photo.image_jpeg or b"",
            )
            await self._publisher.publish(
                ENROLMENTS, event, partition=photo_partition(photo.photo_id, self._partitions)
            )
            sent = [photo.photo_id]
            await self._database.run(lambda session, ids=sent: mark_submitted(session, ids))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        return len(photos)


def sha256_of(upload: bytes) -> str:
    """Return what tells a file from others, in hexadecimal digits."""
    return hashlib.sha256(upload).hexdigest()


def photo_partition(photo_id: str, partitions: int) -> int:
    """Spread photos over all partitions; the same photo always goes to the same one."""
    return zlib.crc32(photo_id.encode()) % partitions
