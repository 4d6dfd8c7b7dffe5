"""People, photos and history through the interface, without Redis and Kafka."""

import io
import struct
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from mien.contracts.events import PhotoRejected, TemplateCreated
from mien.runtime.event_loop import Received
from services.gateway.people import settle_photo
from services.gateway.photos import PhotoError, normalize_photo
from services.gateway.tables import AuditEntry, Person, Photo, Sighting
from tests.samples import QUALITY
from tests.unit.gateway.conftest import Gateway


def picture(size_wh: tuple[int, int] = (64, 48), kind: str = "JPEG", **options: object) -> bytes:
    """Encode a small red picture."""
    encoded = io.BytesIO()
    Image.new("RGB", size_wh, "red").save(encoded, kind, **options)
    return encoded.getvalue()


def png_bomb(width: int, height: int) -> bytes:
    """Write a PNG of a few bytes that claims to be huge."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


async def add_person(gateway: Gateway, name: str = "Ada") -> str:
    gateway.use_token()
    answer = await gateway.client.post("/api/people", json={"name": name})
    assert answer.status_code == 201, answer.text
    person_id: str = answer.json()["person_id"]
    return person_id


async def upload(gateway: Gateway, person_id: str, *files: bytes) -> list[dict[str, object]]:
    answer = await gateway.client.post(
        f"/api/people/{person_id}/photos",
        files=[("photos", (f"{number}.jpg", data, "image/jpeg")) for number, data in enumerate(files)],
    )
    assert answer.status_code == 202, answer.text
    photos: list[dict[str, object]] = answer.json()
    return photos


async def test_person_is_added_and_edited(gateway: Gateway) -> None:
    """What is absent from an edit stays."""
    person_id = await add_person(gateway)
    answer = await gateway.client.patch(f"/api/people/{person_id}", json={"notes": "board member"})
    assert answer.json() | {"created_at": None} == {
        "person_id": person_id,
        "name": "Ada",
        "notes": "board member",
        "consent_note": "",
        "active": True,
        "ignored": False,
        "created_at": None,
        "photo_count": 0,
        "template_count": 0,
        "problem_count": 0,
        "cover_photo_url": None,
        "demo_note": None,
    }
    assert gateway.context.names.known.people == {person_id: "Ada"}
    await gateway.client.patch(f"/api/people/{person_id}", json={"active": False})
    assert gateway.context.names.known.people == {}


@pytest.mark.parametrize("body", [{}, {"name": " "}, {"name": "Ada", "age": 36}, {"name": None}])
async def test_malformed_person_is_refused_in_words(body: dict[str, object], gateway: Gateway) -> None:
    """The answer is one line of words, not a structure."""
    gateway.use_token()
    answer = await gateway.client.post("/api/people", json=body)
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)


async def test_each_upload_is_judged_by_itself(gateway: Gateway) -> None:
    """A bomb and a text are rejected with words, the photo between them goes on."""
    person_id = await add_person(gateway)
    photos = await upload(gateway, person_id, png_bomb(30_000, 30_000), picture(), b"GIF89a, or not")
    assert [photo["status"] for photo in photos] == ["rejected", "pending", "rejected"]
    assert [photo["reason"] for photo in photos] == ["not_an_image", None, "not_an_image"]
    assert "million pixels" in str(photos[0]["explanation"])
    image = await gateway.client.get(str(photos[1]["image_url"]))
    assert image.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(image.content)).size == (64, 48)
    person = (await gateway.client.get(f"/api/people/{person_id}")).json()
    assert person["photo_count"] == 3


async def test_photos_wait_while_kafka_is_away(gateway: Gateway) -> None:
    """An upload is taken without the broker, and remembered as not sent."""
    person_id = await add_person(gateway)
    [photo] = await upload(gateway, person_id, picture())
    submitted = await gateway.context.database.run(
        lambda session: session.get_one(Photo, photo["photo_id"]).submitted
    )
    assert submitted is False


def test_photo_is_turned_upright_and_loses_its_metadata() -> None:
    """The EXIF orientation is applied, then nothing of the EXIF remains."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "taken at home"
    upright = Image.open(io.BytesIO(normalize_photo(picture((64, 48), exif=exif))))
    assert upright.size == (48, 64)
    assert not upright.getexif()


def test_large_photo_is_scaled_down() -> None:
    """The longer side is 1600 px at most; the shape stays."""
    small = Image.open(io.BytesIO(normalize_photo(picture((4000, 2000)))))
    assert small.size == (1600, 800)


def test_transparent_picture_lies_on_white() -> None:
    """What is transparent becomes white, not black."""
    encoded = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(encoded, "PNG")
    flat = Image.open(io.BytesIO(normalize_photo(encoded.getvalue())))
    assert flat.getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize(
    "upload_bytes",
    [
        b"",
        b"\xff\xd8\xff",
        picture()[:200],
        picture(kind="GIF"),
        b"\0" * (10 * 1024 * 1024 + 1),
        png_bomb(8000, 8000),
        png_bomb(60_000, 60_000),
    ],
    ids=["empty", "magic only", "cut off", "gif", "too many bytes", "64 megapixels", "3.6 gigapixels"],
)
def test_what_is_no_photo_is_refused(upload_bytes: bytes) -> None:
    """Damaged, unknown and oversized files are one kind of error, with words."""
    with pytest.raises(PhotoError):
        normalize_photo(upload_bytes)


async def test_answer_settles_a_photo_whenever_it_comes(gateway: Gateway) -> None:
    """A template makes the photo enrolled; hearing it again changes nothing; a rejection says why."""
    person_id = await add_person(gateway)
    first, second = await upload(gateway, person_id, picture(), picture())
    created = TemplateCreated(
        camera_id="",
        event_id="e",
        captured_at_ns=0,
        photo_id=str(first["photo_id"]),
        person_id=person_id,
        template_id="t",
        model="face_embedder",
        model_version=1,
        quality=QUALITY,
        face_jpeg=picture(),
    )
    rejected = PhotoRejected(
        camera_id="",
        event_id="e2",
        captured_at_ns=0,
        photo_id=str(second["photo_id"]),
        person_id=person_id,
        reason="several_faces",
        explanation="there are 2 faces",
    )
    received = [Received(event, 0, 0) for event in (created, rejected, created)]
    await gateway.context.enrolment.settle(received)
    photos = (await gateway.client.get(f"/api/people/{person_id}/photos")).json()
    assert [(photo["status"], photo["reason"], photo["quality"]) for photo in photos] == [
        ("enrolled", None, 0.8),
        ("rejected", "several_faces", None),
    ]
    person = (await gateway.client.get(f"/api/people/{person_id}")).json()
    assert person["template_count"] == 1
    assert (await gateway.client.get(person["cover_photo_url"])).status_code == 200


async def test_answer_for_a_deleted_photo_is_noticed(gateway: Gateway) -> None:
    """The caller learns that nobody waits for it any more."""
    rejected = PhotoRejected(
        camera_id="",
        event_id="e",
        captured_at_ns=0,
        photo_id="x",
        person_id="y",
        reason="no_face",
        explanation="",
    )
    assert not await gateway.context.database.run(lambda session: settle_photo(session, rejected))


async def test_history_is_filtered_and_paged(gateway: Gateway) -> None:
    """The newest comes first; a forgotten person has no name left."""
    person_id = await add_person(gateway)
    start = datetime(2026, 1, 1, tzinfo=UTC)

    def fill(session: Session) -> None:
        for number in range(5):
            session.add(
                Sighting(
                    track_id=f"door:1:{number}",
                    camera_id="door" if number else "hall",
                    camera_name="Door",
                    person_id=person_id if number == 3 else None,
                    answer="known" if number >= 3 else "unknown",
                    started_at=start,
                    ended_at=start + timedelta(minutes=number),
                    emotions={"happy": 1.0} if number == 3 else None,
                )
            )

    await gateway.context.database.run(fill)
    page = (await gateway.client.get("/api/sightings", params={"camera_id": "door", "limit": 2})).json()
    assert [one["person_name"] for one in page] == ["deleted person", "Ada"]
    assert page[1]["emotions"] == {"happy": 1.0}
    older = (await gateway.client.get("/api/sightings", params={"before": page[1]["ended_at"]})).json()
    assert [one["track_id"] for one in older] == ["door:1:2", "door:1:1", "door:1:0"]
    mine = (await gateway.client.get("/api/sightings", params={"person_id": person_id})).json()
    assert [one["track_id"] for one in mine] == ["door:1:3"]


async def test_redis_away_is_a_503_and_nothing_is_half_done(gateway: Gateway) -> None:
    """Without Redis a person can't be forgotten, and isn't; the words say so."""
    person_id = await add_person(gateway)
    answer = await gateway.client.delete(f"/api/people/{person_id}")
    assert answer.status_code == 503
    assert "Redis" in answer.json()["detail"]
    assert await gateway.context.database.run(lambda session: session.get(Person, person_id)) is not None
    system = (await gateway.client.get("/api/system")).json()
    assert any("Redis" in problem for problem in system["services"][0]["problems"])
    assert system["counts"]["cameras"] is None


async def test_changes_are_audited(gateway: Gateway) -> None:
    """Who changed what stays written down."""
    person_id = await add_person(gateway)

    def read(session: Session) -> list[tuple[str, str, str]]:
        return [(entry.actor, entry.action, entry.subject) for entry in session.query(AuditEntry)]

    assert ("cli", "person.added", person_id) in await gateway.context.database.run(read)


async def test_missing_dashboard_says_how_to_build_it(gateway: Gateway) -> None:
    """Any page explains, while the interface keeps its own 404."""
    page = await gateway.client.get("/people")
    assert "npm run build" in page.text
    assert (await gateway.client.get("/api/nothing")).status_code == 404
