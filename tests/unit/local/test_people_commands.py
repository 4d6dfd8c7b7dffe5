"""`mien people` on the command line: enrolment, and photos that become a folder to train on."""

import json
from pathlib import Path

import pytest

from tests.unit.local.command_line import FakeGateway, run


def test_enrolment_waits_for_the_verdict_on_each_photograph(
    gateway: FakeGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused photograph is named with its reason, and the exit code says that not all were taken."""
    monkeypatch.setattr("mien.commands.people._POLL_SECONDS", 0)
    paths = [tmp_path / "a.jpg", tmp_path / "b.jpg"]
    for path in paths:
        path.write_bytes(b"picture")
    url = "/api/people/p1/photos"
    pending = [{"photo_id": name, "filename": f"{name}.jpg", "status": "pending"} for name in "ab"]
    done = [
        {"photo_id": "a", "filename": "a.jpg", "status": "enrolled"},
        {"photo_id": "b", "filename": "b.jpg", "status": "rejected", "explanation": "no face was found"},
    ]
    gateway.answers["POST", url] = [(202, pending)]
    gateway.answers["GET", url] = [(200, pending), (200, done)]
    result = run("people", "enrol", "p1", *map(str, paths))
    assert result.exit_code == 1
    assert "b.jpg: no face was found" in result.output
    assert "1 of 2 enrolled" in result.output


def test_enrolled_photos_become_a_folder_to_train_on(gateway: FakeGateway, tmp_path: Path) -> None:
    """One folder for each active person, named after their id, without photos refused or set aside."""
    people = [
        {"person_id": "p1", "name": "Rosa", "active": True},
        {"person_id": "p2", "name": "Rosa", "active": True},
        {"person_id": "p3", "name": "Gone", "active": False},
    ]
    gateway.answers["GET", "/api/people"] = [(200, people)]
    for person in ("p1", "p2"):
        photos = [
            {"photo_id": f"{person}a", "status": "enrolled", "set_aside": False},
            {"photo_id": "x", "status": "rejected", "set_aside": False},
            {"photo_id": "y", "status": "enrolled", "set_aside": True},
        ]
        gateway.answers["GET", f"/api/people/{person}/photos"] = [(200, photos)]
        gateway.answers["GET", f"/api/people/{person}/photos/{person}a/image.jpg"] = [(200, "jpeg")]
    folder = tmp_path / "photos"
    result = run("dataset", "fetch", str(folder))
    assert result.exit_code == 0, result.output
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jpg")) == [
        "p1/p1a.jpg",
        "p2/p2a.jpg",
    ]
    names = json.loads((folder / "people.json").read_text())
    assert names["p1"] == {"name": "Rosa", "person_id": "p1"}


def test_labelled_expressions_become_a_folder_and_a_table(gateway: FakeGateway, tmp_path: Path) -> None:
    """A folder per expression, and labels.csv beside them; what was deleted meanwhile is left out."""
    url = "/api/people/p1/photos/{}/image.jpg"
    photos = [
        {"photo_id": photo_id, "person_id": "p1", "label": label, "image_url": url.format(photo_id)}
        for photo_id, label in (("a", "happy"), ("b", "tired"), ("gone", "tired"))
    ]
    gateway.answers["POST", "/api/people/emotion-exports"] = [(200, photos)]
    for photo_id in "ab":
        gateway.answers["GET", url.format(photo_id)] = [(200, "jpeg")]
    gateway.answers["GET", url.format("gone")] = [(404, {"detail": "there is no such picture"})]
    folder = tmp_path / "emotions"
    result = run("people", "export-emotions", str(folder))
    assert result.exit_code == 0, result.output
    rows = (folder / "labels.csv").read_text().splitlines()
    assert rows == ["path,label,person", "happy/a.jpg,happy,p1", "tired/b.jpg,tired,p1"]
    assert (folder / "tired" / "b.jpg").exists()
    again = run("people", "export-emotions", str(folder))
    assert again.exit_code == 1
    assert "expected an empty folder" in " ".join(again.output.split())


def test_no_labelled_expression_is_said_in_words(gateway: FakeGateway, tmp_path: Path) -> None:
    """With what to do about it, and without an empty folder."""
    gateway.answers["POST", "/api/people/emotion-exports"] = [(200, [])]
    result = run("people", "export-emotions", str(tmp_path / "emotions"))
    assert result.exit_code == 0
    assert "Enrol somebody at the webcam" in " ".join(result.output.split())
    assert not (tmp_path / "emotions").exists()


def test_nobody_enrolled_is_said_in_words(gateway: FakeGateway, tmp_path: Path) -> None:
    gateway.answers["GET", "/api/people"] = [(200, [])]
    result = run("dataset", "fetch", str(tmp_path / "photos"))
    assert result.exit_code == 1
    assert "nobody is enrolled yet" in result.output
    assert not (tmp_path / "photos").exists()
