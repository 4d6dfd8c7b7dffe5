"""A training asked for from a running Mien, until its recognizers use what came of it."""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mien.contracts.models import (
    EMOTION_CLASSIFIER,
    EYELIDS,
    FACE_EMBEDDER,
    FACE_LANDMARKS,
    IDENTITY_CLASSIFIER,
)
from model_repo import labels, repository
from tests.e2e.conftest import Stack, eventually, run_stack
from tests.faces import people, require_faces

PEOPLE = 3
PHOTOS_OF_EACH = 8


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A model repository of the test's own, in which nothing was trained yet."""
    root = tmp_path / "models"
    for model in (FACE_EMBEDDER, EMOTION_CLASSIFIER, EYELIDS, FACE_LANDMARKS):
        (root / model.name).mkdir(parents=True)
        (root / model.name / "1").symlink_to(repository.ROOT / model.name / "1")
    return root


@pytest.fixture
def training_stack(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A stack whose recognizers ask a classifier that isn't there yet, with a few people enrolled."""
    monkeypatch.setenv("MIEN_RECOGNIZER_DECISION", "both")
    by_count = sorted(people().items(), key=lambda item: -sum(map(len, item[1].values())))
    with run_stack(tmp_path / "home", "--model-repo", str(models)) as stack:
        for name, roles in by_count[:PEOPLE]:
            enrol(stack, name, [*roles["enroll"], *roles["probe"]][:PHOTOS_OF_EACH])
        yield stack


@pytest.fixture
def coached_stack(tmp_path: Path, models: Path) -> Iterator[Stack]:
    """A stack in which the coach took two expressions of four people, each of them played by two."""
    shutil.copytree(repository.ROOT / ".downloads", models / ".downloads")
    with run_stack(tmp_path / "home", "--model-repo", str(models)) as stack:
        for number, photos in enumerate(
            zip(*(expression_photos(label) for label in ("happy", "sad")), strict=True)
        ):
            consent = {
                "name": f"Person {number}",
                "consent_text": "My photographs may be used to train an emotion network.",
                "consented_by": f"Person {number}",
                "has_agreed": True,
            }
            session = stack.client.post("/api/enrolment-sessions", json=consent).raise_for_status().json()
            for label, photo in zip(("happy", "sad"), photos, strict=True):
                stack.client.post(
                    f"/api/enrolment-sessions/{session['session_id']}/photos?emotion={label}",
                    content=photo.read_bytes(),
                    headers={"Content-Type": "image/jpeg"},
                ).raise_for_status()
        yield stack


def expression_photos(label: str) -> list[Path]:
    """Return photographs of four people who look like this."""
    folder = require_faces() / "emotion" / "muxspace"
    with (folder / "labels.csv").open(newline="") as file:
        people = {
            row["name_stem"]: folder / row["path"] for row in csv.DictReader(file) if row["label"] == label
        }
    return list(people.values())[:4]


def enrol(stack: Stack, name: str, photos: list[Path]) -> None:
    """Add a person with photos, some of which may be refused."""
    person_id = stack.client.post("/api/people", json={"name": name}).raise_for_status().json()["person_id"]
    files = [("photos", (photo.name, photo.read_bytes(), "image/jpeg")) for photo in photos]
    stack.client.post(f"/api/people/{person_id}/photos", files=files, timeout=60).raise_for_status()
    eventually(
        lambda: [photo["status"] for photo in stack.get(f"/api/people/{person_id}/photos")],
        lambda states: "pending" not in states and states.count("enrolled") >= 3,
        within_seconds=60,
    )


def recognizer_problems(stack: Stack) -> list[str]:
    services = stack.get("/api/system")["services"]
    return [problem for one in services if one["service"] == "recognizer" for problem in one["problems"]]


def is_over(job: dict[str, Any]) -> bool:
    return job["state"] not in {"queued", "running"}


def test_from_enrolled_photos_to_a_classifier_that_recognizers_ask(
    training_stack: Stack, models: Path
) -> None:
    """Over a gateway that is killed meanwhile; then promoted, rolled back, and forgotten with a person."""
    stack = training_stack
    assert any("the gallery alone names people" in problem for problem in recognizer_problems(stack))
    (source,) = stack.get("/api/training/data/identity")
    assert source["is_ready"]

    job_id = start(stack, epochs=30)
    eventually(
        lambda: stack.get(f"/api/training/jobs/{job_id}"), lambda job: bool(job["steps"]), within_seconds=120
    )
    stack.kill("gateway")
    job = eventually(lambda: stack.get(f"/api/training/jobs/{job_id}"), is_over, within_seconds=300)
    assert (job["state"], job["explanation"], job["version"]) == ("finished", "", 1)
    assert {point["epoch"] for point in job["curves"]} >= {1, 2}
    copies = {path.name for path in (stack.home / "jobs" / job_id).iterdir()}
    assert not {"photos", "data", "vectors"} & copies
    eventually(lambda: recognizer_problems(stack), lambda problems: problems == [], within_seconds=30)

    second = start(stack, epochs=2, seed=2)
    eventually(lambda: stack.get(f"/api/training/jobs/{second}"), is_over, within_seconds=300)
    address = f"/api/training/models/{IDENTITY_CLASSIFIER}"
    assert labels.read_labels(models, IDENTITY_CLASSIFIER) == {"stable": 1, "canary": 2}
    stack.client.put(f"{address}/labels/stable", json={"version": 2}).raise_for_status()
    stack.client.post(f"{address}/rollback").raise_for_status()
    assert labels.read_labels(models, IDENTITY_CLASSIFIER) == {"stable": 1, "canary": 2}
    assert recognizer_problems(stack) == []

    somebody = stack.get("/api/people")[0]["person_id"]
    stack.client.delete(f"/api/people/{somebody}").raise_for_status()
    assert list((stack.home / "jobs").iterdir()) == []


def test_from_what_the_coach_collected_to_a_canary_that_goes_with_nobody(
    coached_stack: Stack, models: Path
) -> None:
    """Two expressions of four people become a version; withdrawing a consent deletes the training."""
    stack = coached_stack
    (source,) = stack.get("/api/training/data/emotion")
    assert {group["name"]: group["pictures"] for group in source["groups"]} == {"happy": 4, "sad": 4}
    asked = {"kind": "emotion", "options": {"epochs": 2, "copies": 0}}
    job_id = stack.client.post("/api/training/jobs", json=asked).raise_for_status().json()["job_id"]
    job = eventually(lambda: stack.get(f"/api/training/jobs/{job_id}"), is_over, within_seconds=300)
    assert (job["state"], job["explanation"], job["version"]) == ("finished", "", 2)
    assert labels.read_labels(models, EMOTION_CLASSIFIER.name) == {"stable": 1, "canary": 2}
    copies = {path.name for path in (stack.home / "jobs" / job_id).iterdir()}
    assert not {"photos", "faces", "features"} & copies

    person_id = stack.get("/api/people")[0]["person_id"]
    (session,) = stack.get(f"/api/enrolment-sessions?person_id={person_id}")
    stack.client.delete(f"/api/enrolment-sessions/{session['session_id']}").raise_for_status()
    assert list((stack.home / "jobs").iterdir()) == []


def start(stack: Stack, **options: int) -> str:
    asked = stack.client.post(
        "/api/training/jobs", json={"kind": "identity", "options": {"open_set_folds": 0, **options}}
    )
    made: httpx.Response = asked.raise_for_status()
    return str(made.json()["job_id"])
