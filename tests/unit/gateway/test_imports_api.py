"""Photos of many people are brought, looked through, enrolled and undone, restarts or not."""

from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mien.contracts.models import FACE_EMBEDDER
from services.gateway.import_rows import place_files
from services.gateway.import_tables import ImportFile, PhotoImport
from services.gateway.photos import MAX_PHOTO_BYTES
from services.gateway.tables import AuditEntry, Photo
from tests.unit.gateway.conftest import Gateway
from tests.unit.gateway.importer import CONSENT, Importer, picture

NAMELESS = "the name says nobody: expected First_Last-emotion-N.jpg, or a folder named after the person"


@pytest.fixture
def importer(gateway_with_redis: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Importer:
    monkeypatch.setattr(gateway_with_redis.context.imports, "_folder", tmp_path / "imports")
    return Importer(gateway_with_redis)


async def test_whole_way_from_files_to_people_and_back(importer: Importer) -> None:
    await importer.begin(
        {
            "Ada_Lovelace-happy-1.jpg": picture(1),
            "Ada_Lovelace-sad-2.jpg": picture(2),
            "Bob_Ray-happy-1.jpg": picture(3),
        }
    )
    before = await importer.info()
    assert [(one["name"], one["is_new"], one["photos"]) for one in before["people"]] == [
        ("Ada Lovelace", True, 2),
        ("Bob Ray", True, 1),
    ]
    assert before["people"][0]["emotions"] == {"happy": 1, "sad": 1}
    assert (await importer.gateway.client.get(before["people"][0]["samples"][0])).status_code == 200
    assert await importer.people() == {}, "a preview enrols nobody"

    await importer.commit()
    assert await importer.work()
    running = await importer.info()
    assert (running["state"], running["counts"]["waiting"]) == ("running", 3)
    await importer.answer_photos(reject="sad")
    assert not await importer.work()
    done = await importer.info()
    assert done["state"] == "done"
    assert {key: done["counts"][key] for key in ("files", "waiting", "enrolled", "set_aside", "refused")} == {
        "files": 3, "waiting": 0, "enrolled": 2, "set_aside": 0, "refused": 1,
    }  # fmt: skip
    assert [(one["path"], one["kind"], one["words"]) for one in done["problems"]] == [
        ("Ada Lovelace: Ada_Lovelace-sad-2.jpg", "refused", "Expected a face, found none.")
    ]
    people = (await importer.gateway.client.get("/api/people")).json()
    assert {one["consent_note"] for one in people} == {CONSENT["consent_note"]}
    photos = (await importer.gateway.client.get(f"/api/people/{people[0]['person_id']}/photos")).json()
    assert [one["emotion_label"] for one in photos] == ["happy", "sad"]

    assert (await importer.gateway.client.post(f"{importer.url}/undo")).json()["state"] == "undoing"
    await importer.work()
    assert (await importer.info())["state"] == "undone"
    assert await importer.people() == {}
    assert await importer.gateway.context.templates.load(FACE_EMBEDDER.name) == []
    actions = select(AuditEntry.action).where(AuditEntry.action.startswith("import."))
    assert await importer.gateway.context.database.run(lambda session: list(session.scalars(actions))) == [
        "import.committed",
        "import.undone",
    ]


async def test_people_who_are_there_get_photos_and_keep_theirs_when_it_is_undone(importer: Importer) -> None:
    client = importer.gateway.client
    ada = (await client.post("/api/people", json={"name": "Ada", "consent_note": "before"})).json()
    upload = [("photos", ("own.jpg", picture(9), "image/jpeg"))]
    await client.post(f"/api/people/{ada['person_id']}/photos", files=upload)
    await importer.begin({"ada/1.jpg": picture(1), "ada/again.jpg": picture(9), "Bob/1.jpg": picture(2)})
    info = await importer.info()
    assert [(one["name"], one["is_new"]) for one in info["people"]] == [("Ada", False), ("Bob", True)]
    assert [(one["path"], one["words"]) for one in info["problems"]] == [("ada/again.jpg", "already there")]
    await importer.commit()
    await importer.work()
    assert await importer.people() == {"Ada": 2, "Bob": 1}
    assert (await client.get(f"/api/people/{ada['person_id']}")).json()["consent_note"] == "before"
    bob = next(one for one in (await client.get("/api/people")).json() if one["name"] == "Bob")
    own = [("photos", ("b.jpg", picture(30), "image/jpeg"))]
    await client.post(f"/api/people/{bob['person_id']}/photos", files=own)
    await client.post(f"{importer.url}/undo")
    await importer.work()
    assert await importer.people() == {"Ada": 1, "Bob": 1}, "Bob has a photo of his own by now"


async def test_archive_is_read_and_everything_odd_in_it_told(importer: Importer) -> None:
    await importer.begin()
    files = {
        "team/Ada/1.jpg": picture(1),
        "team/Ada/broken.jpg": b"\xff\xd8 no picture",
        "team/Ada/huge.jpg": bytes(MAX_PHOTO_BYTES + 1),
        "team/Ada/phone.heic": b"heic",
        "team/more.zip": b"PK",
        "../../etc/passwd.jpg": picture(2),
        "team/Zoë Müller/deep/er/1.png": picture(3),
        "team/holiday.jpg": picture(4),
        "__MACOSX/team/Ada/._1.jpg": b"junk",
        "team/.DS_Store": b"junk",
        "team/list.txt": b"names",
    }
    assert (await importer.bring_archive(files))["state"] == "reading"
    await importer.work()
    info = await importer.info()
    assert info["state"] == "draft"
    assert info["problem"] is None
    assert info["counts"]["skipped"] == 3
    assert [(one["name"], one["photos"], one["left_out"]) for one in info["people"]] == [
        ("Ada", 1, 3),
        ("Zoë Müller", 1, 0),
    ]
    told = {one["path"]: one["words"] for one in info["problems"]}
    assert told == {
        "../../etc/passwd.jpg": "its path leads out of the folder",
        "team/Ada/broken.jpg": "the file is no JPEG, PNG or WebP picture, or it is damaged",
        "team/Ada/huge.jpg": "it is larger than 10 MB unpacked",
        "team/Ada/phone.heic": "the file is no JPEG, PNG or WebP picture, or it is damaged",
        "team/holiday.jpg": NAMELESS,
        "team/more.zip": "an archive inside the archive is not opened",
    }  # fmt: skip
    assert not list((importer.gateway.context.imports._folder).iterdir()), "the archive is gone"


async def test_archive_is_read_on_after_a_restart(importer: Importer) -> None:
    """Nothing is read twice, and what was passed over is counted once."""
    await importer.begin()
    photos = {f"Ada/{number}.jpg": picture(number) for number in range(1, 6)}
    await importer.bring_archive({"list.txt": b"names", **photos})
    import_id = importer.url.rpartition("/")[2]

    def read_so_far(session: Session) -> None:
        row = session.get_one(PhotoImport, import_id)
        row.entries_read, row.skipped = 4, 1

    await importer.gateway.context.database.run(read_so_far)
    await importer.work()
    files = select(ImportFile.path).order_by(ImportFile.path)
    found = await importer.gateway.context.database.run(lambda session: list(session.scalars(files)))
    assert found == ["Ada/4.jpg", "Ada/5.jpg"]
    assert (await importer.info())["counts"]["skipped"] == 1


async def test_archive_that_is_gone_or_none_is_told(importer: Importer) -> None:
    await importer.begin()
    upload = {"archive": ("team.zip", b"no archive", "application/zip")}
    answer = await importer.gateway.client.post(f"{importer.url}/archive", files=upload)
    assert answer.status_code == 422
    assert answer.json()["detail"] == "the file is no zip archive, or it is cut off"
    await importer.bring_archive({"Ada/1.jpg": picture(1)})
    for path in importer.gateway.context.imports._folder.iterdir():
        path.unlink()
    await importer.work()
    info = await importer.info()
    assert (info["state"], info["problem"]) == ("draft", "the file is no zip archive, or it is damaged")


async def test_import_that_was_interrupted_while_it_was_running_goes_on(importer: Importer) -> None:
    """Some files are photos already, the others follow; none twice."""
    await importer.begin({f"Ada/{number}.jpg": picture(number) for number in range(5)})
    await importer.commit()
    await importer.gateway.context.database.run(lambda session: place_files(session, 2))
    assert await importer.people() == {"Ada": 2}
    await importer.work()
    assert await importer.people() == {"Ada": 5}


async def test_undo_that_was_interrupted_goes_on(importer: Importer) -> None:
    await importer.begin({"Ada/1.jpg": picture(1), "Bob/1.jpg": picture(2)})
    await importer.commit()
    await importer.work()
    import_id = importer.url.rpartition("/")[2]
    photo_id = (await importer.gateway.context.database.run(
        lambda session: session.scalars(select(Photo.photo_id)).all()
    ))[0]  # fmt: skip
    await importer.gateway.context.database.run(
        lambda session: session.delete(session.get_one(Photo, photo_id))
    )
    await importer.gateway.context.database.run(
        lambda session: session.execute(
            update(PhotoImport).where(PhotoImport.import_id == import_id).values(state="undoing")
        )
    )
    await importer.work()
    assert await importer.people() == {}


async def test_same_files_again_change_nothing(importer: Importer) -> None:
    """A browser that sends a batch again after a broken connection."""
    await importer.begin({"Ada/1.jpg": picture(1)})
    assert (await importer.bring({"Ada/1.jpg": picture(1)}))["counts"]["files"] == 1


async def test_import_can_be_discarded_until_it_is_committed(importer: Importer) -> None:
    client = importer.gateway.client
    await importer.begin({"Ada/1.jpg": picture(1)})
    assert (await client.delete(importer.url)).status_code == 204
    assert (await client.get(importer.url)).status_code == 404
    files = select(ImportFile.file_id)
    left = await importer.gateway.context.database.run(lambda session: list(session.scalars(files)))
    assert left == []
    await importer.begin({"Ada/1.jpg": picture(1)})
    await importer.commit()
    answer = await client.delete(importer.url)
    assert answer.status_code == 422
    assert answer.json()["detail"] == "the import is running, expected it to be draft or reading"


async def test_nothing_is_enrolled_without_consent_or_without_photos(importer: Importer) -> None:
    client = importer.gateway.client
    await importer.begin({"holiday.jpg": picture(1)})
    assert (await client.post(f"{importer.url}/commit", json={"consent_note": "  "})).status_code == 422
    answer = await client.post(f"{importer.url}/commit", json=CONSENT)
    assert answer.status_code == 422
    assert answer.json()["detail"] == "there is no photo to enrol in this import"


async def test_person_who_is_forgotten_leaves_no_name_in_the_report(importer: Importer) -> None:
    await importer.begin({"Ada/1.jpg": picture(1)})
    await importer.commit()
    await importer.work()
    person = (await importer.gateway.client.get("/api/people")).json()[0]
    await importer.gateway.client.delete(f"/api/people/{person['person_id']}")
    files = select(ImportFile.path)
    assert await importer.gateway.context.database.run(lambda session: list(session.scalars(files))) == []


async def test_imports_are_for_people_who_are_logged_in(gateway: Gateway) -> None:
    assert (await gateway.client.get("/api/imports")).status_code == 401
