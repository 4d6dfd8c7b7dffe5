"""Tables of imports: photos of many people that arrive together, and what became of each file."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, deferred, mapped_column

from services.gateway.tables import Base, UtcDateTime, utc_now


class PhotoImport(Base):
    """Files that somebody brings at once.

    Attributes:
        state: ``draft`` (files may come), ``reading`` (an archive is), ``running``, ``done``, ``undoing``,
            ``undone``.
        skipped: Files that are no pictures, which nobody asked about.
        entries: How many an archive holds.
        entries_read: How many of them have been read; reading goes on there after a restart.
        problem: Why the archive could not be read to its end.
    """

    __tablename__ = "imports"
    import_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    source: Mapped[str] = mapped_column(String(255))
    state: Mapped[str] = mapped_column(String(12), index=True)
    consent_note: Mapped[str] = mapped_column(String(2000), default="")
    created_by: Mapped[str] = mapped_column(String(100))
    skipped: Mapped[int] = mapped_column(default=0)
    entries: Mapped[int] = mapped_column(default=0)
    entries_read: Mapped[int] = mapped_column(default=0, server_default="0")
    problem: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ImportFile(Base):
    """A picture of an import.

    Attributes:
        state: ``staged`` (before it is decided on), ``refused``, ``wanted``, ``placed`` (it is a photo now).
        person_id: Whose photo it is to be, once that is decided.
        image_jpeg: As it was encoded anew; None where it was refused, or is a photo already.
    """

    __tablename__ = "import_files"
    file_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    import_id: Mapped[str] = mapped_column(ForeignKey("imports.import_id", ondelete="CASCADE"), index=True)
    path: Mapped[str] = mapped_column(String(1000))
    state: Mapped[str] = mapped_column(String(12), index=True)
    explanation: Mapped[str | None] = mapped_column(String(500))
    person_id: Mapped[str | None] = mapped_column(String(40), index=True)
    emotion_label: Mapped[str | None] = mapped_column(String(40))
    upload_sha256: Mapped[str | None] = mapped_column(String(64))
    image_jpeg: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))

    __table_args__ = (UniqueConstraint("import_id", "path"),)
