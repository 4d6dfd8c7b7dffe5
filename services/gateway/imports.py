"""Photos of many people at once: brought, looked through, committed, and undone if need be."""

import asyncio
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Final

import structlog
from redis.exceptions import RedisError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from mien.errors import TransientError
from mien.runtime.gallery import TemplateStore
from mien.runtime.service import Service
from services.gateway import import_rows as sql
from services.gateway.archives import Entry, clean_path, count_entries, is_worth_a_word, read_entries
from services.gateway.database import Database
from services.gateway.denials import Denials
from services.gateway.enrolment import EnrolmentRoad, sha256_of
from services.gateway.import_plan import MAX_FILES
from services.gateway.import_tables import ImportFile, PhotoImport
from services.gateway.names import Names
from services.gateway.pause import wait_at_most
from services.gateway.photo_judge import PhotoJudge, judge_again
from services.gateway.photos import PhotoError
from services.gateway.pipeline import InvalidInputError
from services.gateway.tables import Person, Photo, utc_now

log = structlog.get_logger()

_BATCH: Final = 20
_LOOK_AGAIN_SECONDS: Final = 30.0
_WHILE_RUNNING_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 5.0
_KEEP_DRAFTS: Final = timedelta(days=1)
_KEEP_REPORTS: Final = timedelta(days=7)


class Imports:
    """Takes files in, and works on what was decided; all of it lies in SQL, so that a restart goes on."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        enrolment: EnrolmentRoad,
        templates: TemplateStore,
        denials: Denials,
        names: Names,
        photo_judge: PhotoJudge,
    ) -> None:
        self._database = database
        self._folder = folder
        self._enrolment = enrolment
        self._templates = templates
        self._denials = denials
        self._names = names
        self._photo_judge = photo_judge
        self._wanted = asyncio.Event()

    async def add_file(self, import_id: str, path: str, upload: bytes) -> None:
        """Take a file of a draft; one that came before under this path changes nothing.

        Raises:
            NotFoundError: There is no such import.
            InvalidInputError: It takes no more files.
        """
        await self._database.run(lambda session: require_state(session, import_id, "draft"))
        await self._stage(import_id, Entry(None, path, upload))

    async def take_archive(self, import_id: str, upload: BinaryIO) -> None:
        """Keep an archive and begin to read it.

        Raises:
            NotFoundError: There is no such import.
            InvalidInputError: It takes no more files, or the upload is no zip archive.
        """
        await self._database.run(lambda session: require_state(session, import_id, "draft"))
        path = self._archive_path(import_id)
        entries = await asyncio.to_thread(_keep, upload, path)

        def begin(session: Session) -> None:
            row = require_state(session, import_id, "draft")
            row.state, row.entries = "reading", entries

        await self._database.run(begin)
        self.look_soon()

    async def discard(self, import_id: str) -> None:
        """Delete a draft and its files.

        Raises:
            NotFoundError: There is no such import.
            InvalidInputError: It has been committed: it can only be undone.
        """

        def drop(session: Session) -> None:
            session.delete(require_state(session, import_id, "draft", "reading"))

        await self._database.run(drop)
        await asyncio.to_thread(self._archive_path(import_id).unlink, missing_ok=True)

    def look_soon(self) -> None:
        """Say that there is something to do."""
        self._wanted.set()

    async def run(self, service: Service) -> None:
        """Read archives, place photos and undo, also what a restart has interrupted, until cancelled."""
        while not service.stop.is_set():
            self._wanted.clear()
            try:
                busy = await self.work()
                service.health.resolve("imports")
                pause = _WHILE_RUNNING_SECONDS if busy else _LOOK_AGAIN_SECONDS
            except TransientError as error:
                service.health.report("imports", f"an import waits: {error}")
                pause = _RETRY_SECONDS
            await wait_at_most(self._wanted, pause)

    async def work(self) -> bool:
        """Do what there is to do; returns whether an import is on its way.

        Raises:
            TransientError: The database or Redis is away.
        """
        for import_id in await self._database.run(lambda session: _in_state(session, "reading")):
            await self._read_archive(import_id)
        while await self._database.run(lambda session: sql.place_files(session, _BATCH)):
            self._enrolment.send_soon()
        for import_id in await self._database.run(lambda session: _in_state(session, "undoing")):
            await self._undo(import_id)
        await self._database.run(sql.finish_imports)
        now = utc_now()
        for import_id in await self._database.run(
            lambda session: sql.sweep(
                session, drafts_before=now - _KEEP_DRAFTS, reports_before=now - _KEEP_REPORTS
            )
        ):
            await asyncio.to_thread(self._archive_path(import_id).unlink, missing_ok=True)
        return bool(await self._database.run(lambda session: _in_state(session, "running")))

    async def _read_archive(self, import_id: str) -> None:
        """Go on reading an archive after the last entry that is known of it."""
        path = self._archive_path(import_id)
        problem = None
        try:
            first = await self._database.run(lambda session: _entries_read(session, import_id))
            entries = read_entries(path, first=first)
            while (entry := await asyncio.to_thread(next, entries, None)) is not None:
                if not await self._stage(import_id, entry):
                    return  # discarded meanwhile
        except InvalidInputError as error:
            problem = str(error)

        def finish(session: Session) -> None:
            row = session.get(PhotoImport, import_id)
            if row is not None and row.state == "reading":
                row.state, row.problem = "draft", problem

        await self._database.run(finish)
        await asyncio.to_thread(path.unlink, missing_ok=True)

    async def _stage(self, import_id: str, entry: Entry) -> bool:
        """Note a file, encoded anew or with the reason why not; returns False when the import is gone."""
        file = await self._examine(import_id, entry)

        def note(session: Session) -> bool:
            row = session.get(PhotoImport, import_id)
            if row is None:
                return False
            if entry.number is not None:
                row.entries_read = entry.number + 1
            if file is None:
                row.skipped += 1
                return True
            of_import = ImportFile.import_id == import_id
            if session.scalar(select(ImportFile.file_id).where(of_import, ImportFile.path == file.path)):
                return True
            if (session.scalar(select(func.count()).where(of_import)) or 0) >= MAX_FILES:
                raise InvalidInputError(f"an import takes at most {MAX_FILES:,} pictures: split it")
            session.add(file)
            return True

        return await self._database.run(note)

    async def _examine(self, import_id: str, entry: Entry) -> ImportFile | None:
        file = ImportFile(import_id=import_id, path=entry.path[:400], state="staged")
        try:
            path = clean_path(entry.path)
        except InvalidInputError as error:
            file.path = file.path.encode("unicode_escape").decode()[:400]
            file.state, file.explanation = "refused", str(error)
            return file
        file.path = path.as_posix()
        if not is_worth_a_word(path):
            return None
        if entry.content is None:
            file.state = "refused"
            file.explanation = entry.problem or "an archive inside the archive is not opened"
            return file
        try:
            file.upload_sha256 = sha256_of(entry.content)
            file.image_jpeg = await self._enrolment.encode(entry.content)
        except PhotoError as error:
            file.state, file.explanation, file.upload_sha256 = "refused", str(error), None
        return file

    async def _undo(self, import_id: str) -> None:
        """Take back photos first, then the people who have none left; can be begun again at any point."""
        try:
            while photo_ids := await self._database.run(
                lambda session: sql.photos_of(session, import_id, _BATCH)
            ):
                await self._templates.remove_photos(photo_ids)
                await self._database.run(lambda session, ids=photo_ids: _drop_photos(session, ids))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            for person_id in await self._database.run(
                lambda session: sql.people_left_empty(session, import_id)
            ):
                await self._denials.forget_person(person_id)
                await self._database.run(lambda session, id_=person_id: _drop_person(session, id_))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        except (RedisError, OSError) as error:
            raise TransientError(f"Redis does not answer: {type(error).__name__}") from error

        def finish(session: Session) -> None:
            row = session.get(PhotoImport, import_id)
            if row is not None:
                row.state, row.finished_at = "undone", utc_now()
                session.execute(delete(ImportFile).where(ImportFile.import_id == import_id))

        await self._database.run(finish)
        await self._names.announce_change()
        self._photo_judge.look_soon()
        log.info("import.undone", import_id=import_id)

    def _archive_path(self, import_id: str) -> Path:
        return self._folder / f"{import_id}.zip"


def require_state(session: Session, import_id: str, *states: str) -> PhotoImport:
    """Return an import's row.

    Raises:
        NotFoundError: There is none of this id.
        InvalidInputError: It is not in one of these states.
    """
    row = sql.require_import(session, import_id)
    if row.state not in states:
        raise InvalidInputError(f"the import is {row.state}, expected it to be {' or '.join(states)}")
    return row


def _in_state(session: Session, state: str) -> Sequence[str]:
    wanted = select(PhotoImport.import_id).where(PhotoImport.state == state)
    return session.scalars(wanted.order_by(PhotoImport.created_at)).all()


def _entries_read(session: Session, import_id: str) -> int:
    row = session.get(PhotoImport, import_id)
    return 0 if row is None else row.entries_read


def _drop_photos(session: Session, photo_ids: Sequence[str]) -> None:
    people = set()
    for photo_id in photo_ids:
        if (photo := session.get(Photo, photo_id)) is not None:
            people.add(photo.person_id)
            session.delete(photo)
    session.flush()
    judge_again(session, *people)


def _drop_person(session: Session, person_id: str) -> None:
    person = session.get(Person, person_id)
    if person is not None:
        judge_again(session, person_id)
        session.delete(person)


def _keep(upload: BinaryIO, path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(upload, file)
        return count_entries(path)
    except (InvalidInputError, OSError):
        path.unlink(missing_ok=True)
        raise
