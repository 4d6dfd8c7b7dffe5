"""Training from the dashboard: what is asked for, followed, cancelled, shown and put to use."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fakeredis
import msgspec
import pytest

from mien.contracts.jobs import REPORT_FILE, TRAINER_KEY, TrainerStatus
from mien.contracts.models import EMOTION_CLASSIFIER, IDENTITY_CLASSIFIER
from mien.runtime.jobs import held, list_jobs, read_job, write_people
from mien.training.emotion_data import EmotionOptions
from mien.training.job import Job
from model_repo import labels
from services.gateway.accounts import Principal
from services.gateway.database import Database
from services.gateway.tables import AuditEntry, EnrolmentSession, Person, Photo
from tests.unit.gateway.conftest import Gateway, start_gateway


@dataclass(frozen=True)
class Place:
    """A gateway that may train, and the folders that it shares with a trainer."""

    gateway: Gateway
    jobs: Path
    datasets: Path
    models: Path

    async def ask(self, method: str, path: str, expected: int = 200, **request: Any) -> Any:
        answer = await self.gateway.client.request(method, f"/api/training{path}", **request)
        assert answer.status_code == expected, answer.text
        return answer.json() if answer.content else None

    async def start(self, **options: object) -> str:
        made = await self.ask("POST", "/jobs", 201, json={"kind": "identity", "options": options})
        return str(made["job_id"])

    async def audited(self) -> list[tuple[str, str, str]]:
        entries = await self.gateway.context.database.run(lambda session: session.query(AuditEntry).all())
        return [(entry.actor, entry.action, entry.subject) for entry in entries]


@pytest.fixture
async def place(database: Database, tmp_path: Path) -> AsyncIterator[Place]:
    jobs, datasets, models = (tmp_path / name for name in ("jobs", "datasets", "models"))
    async with (
        fakeredis.FakeAsyncRedis() as redis,
        start_gateway(
            database, tmp_path, redis, jobs_dir=jobs, datasets_dir=datasets, model_repo=models
        ) as gateway,
    ):
        gateway.use_token()
        yield Place(gateway, jobs, datasets, models)


def finish(place: Place, job_id: str, *, accuracy: float = 0.9, version: int | None = None) -> None:
    """Do what a trainer's process does."""
    record = read_job(place.jobs / job_id)
    with Job.start(place.jobs, record.kind, record.options, resume=job_id) as job:
        job.tell("embedding", 1, 2)
        for epoch in (1, 2):
            job.tell("training", epoch, 9, loss=1 / epoch, validation_accuracy=accuracy)
        job.write_result({"test": {"accuracy": accuracy, "macro_f1": 0.8}, "version": version})
        (job.folder / REPORT_FILE).write_text("<h1>Report</h1><script>alert(1)</script>")


def publish(place: Place, version: int, *, job_id: str = "") -> None:
    folder = place.models / IDENTITY_CLASSIFIER / str(version)
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"")
    stamp = {"source": "trained here", "files": {}} | ({"job": job_id} if job_id else {})
    (folder / "assets.extra" / "build.json").write_bytes(msgspec.json.encode(stamp))
    labels.label_new_version(place.models, IDENTITY_CLASSIFIER, version)


async def test_an_empty_place_says_what_can_be_trained(place: Place) -> None:
    info = await place.ask("GET", "")
    assert [kind["kind"] for kind in info["kinds"]] == ["identity", "emotion"]
    assert info["jobs"] == []
    assert info["models"] == [
        {
            "model": IDENTITY_CLASSIFIER,
            "title": "Identity classifier",
            "versions": [],
            "can_roll_back": False,
        },
        {
            "model": EMOTION_CLASSIFIER.name,
            "title": "Emotion network",
            "versions": [],
            "can_roll_back": False,
        },
    ]


@pytest.mark.parametrize(
    ("missing", "job_id", "state"),
    [(["scikit-learn"], None, "not_installed"), ([], None, "idle"), ([], "identity-1", "working")],
)
async def test_what_the_trainer_says_of_itself_is_shown(
    place: Place, missing: list[str], job_id: str | None, state: str
) -> None:
    assert (await place.ask("GET", ""))["trainer"]["state"] == "away"
    status = TrainerStatus(
        instance="t", missing_packages=missing, install_command="bin/mien setup", job_id=job_id
    )
    await place.gateway.context.redis.set(TRAINER_KEY, msgspec.json.encode(status))
    trainer = (await place.ask("GET", ""))["trainer"]
    assert trainer["state"] == state
    assert trainer["missing_packages"] == missing
    assert trainer["install_command"] == ("bin/mien setup" if missing else None)


async def test_a_training_is_asked_for_with_defaults_where_nothing_was_said(place: Place) -> None:
    job_id = await place.start(epochs=5)
    (record,) = list_jobs(place.jobs)
    assert (record.state, record.kind, record.requested_by) == ("queued", "identity", "cli")
    assert (record.options["epochs"], record.options["copies"], record.options["data"]) == (5, 8, "")
    second = await place.start()
    assert (await place.ask("GET", f"/jobs/{job_id}"))["queue_position"] == 1
    assert (await place.ask("GET", f"/jobs/{second}"))["queue_position"] == 2
    assert ("cli", "training.started", job_id) in await place.audited()


@pytest.mark.parametrize(
    ("request_body", "words"),
    [
        ({"kind": "astrology"}, "kind: expected one of identity"),
        ({"kind": "identity", "options": {"epochs": 0}}, "epochs: expected 1 to 10000"),
        ({"kind": "identity", "options": {"epochs": 1.5}}, "epochs: expected a whole number"),
        ({"kind": "identity", "options": {"epochs": "many"}}, "epochs: expected a whole number"),
        ({"kind": "identity", "options": {"embedder": "arcface"}}, "embedder: expected one of"),
        ({"kind": "identity", "options": {"model_repo": "/etc"}}, "model_repo is not known"),
        ({"kind": "identity", "options": {"data": "/etc"}}, "data is not known"),
        ({"kind": "emotion", "options": {"network": "weak"}}, "network: expected one of strong, student"),
        ({"kind": "emotion", "options": {"recipe": "/etc"}}, "recipe is not known"),
        ({"kind": "emotion", "source": "../jobs"}, "there is no folder '../jobs' among the data sets"),
    ],
)
async def test_what_cannot_be_trained_is_refused_in_words(
    place: Place, request_body: dict[str, object], words: str
) -> None:
    refused = await place.ask("POST", "/jobs", 422, json=request_body)
    assert words in refused["detail"]
    assert list_jobs(place.jobs) == []


async def test_progress_and_figures_are_those_of_the_folder(place: Place) -> None:
    job_id = await place.start()
    finish(place, job_id, accuracy=0.75, version=3)
    detail = await place.ask("GET", f"/jobs/{job_id}")
    assert (detail["state"], detail["accuracy"], detail["version"]) == ("finished", 0.75, 3)
    assert [(step["step"], step["done"], step["total"]) for step in detail["steps"]] == [
        ("embedding", 1, 2),
        ("training", 2, 9),
    ]
    assert [point["epoch"] for point in detail["curves"]] == [1, 2]
    assert detail["curves"][1]["figures"] == {"loss": 0.5, "validation_accuracy": 0.75}
    assert detail["epochs_at_most"] == 9


async def test_a_report_may_do_nothing_in_the_browser_and_who_read_it_is_noted(place: Place) -> None:
    job_id = await place.start()
    await place.ask("GET", f"/jobs/{job_id}/report.html", 404)
    finish(place, job_id)
    answer = await place.gateway.client.get(f"/api/training/jobs/{job_id}/report.html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ("cli", "training.report_read", job_id) in await place.audited()


async def test_a_waiting_training_is_cancelled_resumed_and_deleted(place: Place) -> None:
    job_id = await place.start()
    assert (await place.ask("POST", f"/jobs/{job_id}/cancel", 202))["state"] == "cancelled"
    refused = await place.ask("POST", f"/jobs/{job_id}/cancel", 409)
    assert "it is cancelled" in refused["detail"]
    assert (await place.ask("POST", f"/jobs/{job_id}/resume", 202))["state"] == "queued"
    (place.jobs / job_id / "photos").mkdir()
    (place.jobs / job_id / "photos" / "face.jpg").write_bytes(b"a face")
    await place.ask("DELETE", f"/jobs/{job_id}", 204)
    assert list(place.jobs.iterdir()) == []
    await place.ask("DELETE", f"/jobs/{job_id}", 404)


async def test_a_running_training_is_asked_to_end_and_not_deleted(place: Place) -> None:
    job_id = await place.start()
    with held(place.jobs / job_id):
        await place.ask("POST", f"/jobs/{job_id}/cancel", 202)
        assert (place.jobs / job_id / "cancel").exists()
        refused = await place.ask("DELETE", f"/jobs/{job_id}", 409)
    assert "cancel it first" in refused["detail"]


@pytest.mark.parametrize("job_id", ["..", "%2e%2e", "..%2f..%2fetc", "Identity", "identity-1%00", "x" * 200])
async def test_ids_that_are_none_lead_nowhere(place: Place, job_id: str) -> None:
    (place.jobs.parent / "report.html").write_text("not yours")
    answer = await place.gateway.client.get(f"/api/training/jobs/{job_id}/report.html")
    assert answer.status_code in {404, 422, 503}
    assert "not yours" not in answer.text


async def test_people_with_too_few_photos_are_named_before_a_training(place: Place) -> None:
    def enrol(session: Any) -> None:
        for name, photos, active in (("Ada", 4, True), ("Bob", 1, True), ("Cy", 5, False)):
            session.add(Person(person_id=name, name=name, active=active))
            session.flush()
            for number in range(photos):
                session.add(
                    Photo(photo_id=f"{name}{number}", person_id=name, filename="f", status="enrolled")
                )

    await place.gateway.context.database.run(enrol)
    (source,) = await place.ask("GET", "/data/identity")
    groups = [(group["name"], group["pictures"], group["is_enough"]) for group in source["groups"]]
    assert groups == [("Ada", 4, True), ("Bob", 1, False)]
    assert not source["is_ready"]
    assert source["explanation"] == "It takes 2 people with 3 usable photos each; there are 1."


async def test_expressions_are_learnt_from_the_coachs_photos_or_from_a_folder(place: Place) -> None:
    """Photos of people who may not be recognised are not looked at."""

    def enrol(session: Any) -> None:
        for name, active in (("Ada", True), ("Bob", True), ("Cy", False)):
            session.add(Person(person_id=name, name=name, active=active))
            session.flush()
            for label in ("happy", "tired", None):
                photo = Photo(photo_id=f"{name}{label}", person_id=name, filename="f", status="enrolled")
                photo.emotion_label = label
                session.add(photo)

    await place.gateway.context.database.run(enrol)
    (place.datasets / "Team" / "happy").mkdir(parents=True)
    for number in range(3):
        (place.datasets / "Team" / "happy" / f"{number}.jpg").touch()
    coach, folder = await place.ask("GET", "/data/emotion")
    assert {group["name"]: group["pictures"] for group in coach["groups"]} == {"happy": 2, "tired": 2}
    assert (coach["source"], coach["is_ready"]) == ("", False)
    assert coach["explanation"].startswith(
        "It takes 2 labels with 3 pictures each; there are 0. Enrol people"
    )
    assert (folder["source"], folder["pictures"]) == ("Team", 3)

    for source, data in (("", []), ("Team", [str((place.datasets / "Team").resolve())])):
        asked = {"kind": "emotion", "source": source, "options": {"network": "student"}}
        job_id = (await place.ask("POST", "/jobs", 201, json=asked))["job_id"]
        options = read_job(place.jobs / job_id).options
        assert (options["data"], options["network"], options["epochs"]) == (data, "student", 60)
        msgspec.convert({"model_repo": "models", **options}, EmotionOptions)  # as mien train emotion does


async def test_a_consent_that_is_withdrawn_at_the_coach_takes_the_trainings_with_it(place: Place) -> None:
    def enrol(session: Any) -> None:
        session.add(Person(person_id="ada", name="Ada"))
        session.flush()
        session.add(
            EnrolmentSession(
                session_id="s1", person_id="ada", consent_text="yes", consented_by="Ada", recorded_by="admin"
            )
        )

    await place.gateway.context.database.run(enrol)
    job_id = await place.start()
    write_people(place.jobs / job_id, ["ada", "bob"])
    other = await place.start()
    write_people(place.jobs / other, ["bob"])
    withdrawn = await place.gateway.client.delete("/api/enrolment-sessions/s1")
    assert withdrawn.status_code == 204, withdrawn.text
    assert [record.job_id for record in list_jobs(place.jobs)] == [other]


async def test_a_version_is_tried_made_stable_and_rolled_back(place: Place) -> None:
    job_id = await place.start()
    finish(place, job_id, accuracy=0.75, version=1)
    publish(place, 1, job_id=job_id)
    publish(place, 2)
    model, _ = (await place.ask("GET", ""))["models"]
    assert [(one["version"], one["labels"]) for one in model["versions"]] == [
        (2, ["canary"]),
        (1, ["stable"]),
    ]
    assert model["versions"][1]["accuracy"] == 0.75
    assert model["versions"][1]["job_id"] == job_id

    address = f"/models/{IDENTITY_CLASSIFIER}"
    model, _ = (await place.ask("PUT", f"{address}/labels/stable", json={"version": 2}))["models"]
    assert labels.read_labels(place.models, IDENTITY_CLASSIFIER) == {"stable": 2, "previous": 1}
    assert model["can_roll_back"]
    model, _ = (await place.ask("POST", f"{address}/rollback"))["models"]
    assert labels.read_labels(place.models, IDENTITY_CLASSIFIER) == {"stable": 1, "canary": 2}
    assert not model["can_roll_back"]
    refused = await place.ask("POST", f"{address}/rollback", 409)
    assert "nothing to go back to" in refused["detail"]
    refused = await place.ask("PUT", f"{address}/labels/canary", 409, json={"version": 7})
    assert "there is no version 7" in refused["detail"]
    await place.ask("PUT", "/models/face_embedder/labels/stable", 422, json={"version": 1})
    actions = [action for _, action, _ in await place.audited()]
    assert actions == ["training.started", "model.stable", "model.rolled_back"]


async def test_a_gateway_without_folders_says_so(gateway_with_redis: Gateway) -> None:
    info = (await gateway_with_redis.client.get("/api/training")).json()
    assert (info["trainer"]["state"], info["jobs"], info["models"]) == ("off", [], [])
    refused = await gateway_with_redis.client.post("/api/training/jobs", json={"kind": "identity"})
    assert refused.status_code == 409
    assert "no folder of jobs" in refused.json()["detail"]


async def test_only_an_admin_may_look(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        place.gateway.context.accounts,
        "find_cli",
        lambda *_, **__: Principal(username="guest", role="viewer", address="here"),
    )
    await place.ask("GET", "", 403)
