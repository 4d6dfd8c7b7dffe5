"""The command line: one table of commands, errors in words, no passwords in arguments."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mien.cli import COMMANDS, build_app
from mien.local.home import Home
from mien.local.ports import write_ports

TOKEN = "token-of-the-test"


class FakeGateway:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], list[tuple[int, Any]]] = {}
        self.requests: list[tuple[str, str, str, bytes]] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def _reply(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                gateway.requests.append((self.command, self.path, self.headers["Authorization"], body))
                answers = gateway.answers[self.command, self.path]
                status, content = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(status)
                self.end_headers()
                if content is not None:
                    self.wfile.write(json.dumps(content).encode())

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _reply  # noqa: N815 - names of http.server

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGateway]:
    monkeypatch.setenv("MIEN_HOME", str(tmp_path))
    fake = FakeGateway()
    home = Home.locate()
    home.create()
    home.cli_token.write_text(TOKEN + "\n")
    write_ports(home.ports, {"gateway": fake.server.server_address[1]})
    thread = threading.Thread(target=fake.server.serve_forever, args=(0.01,))
    thread.start()
    yield fake
    fake.server.shutdown()
    thread.join()
    fake.server.server_close()


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(build_app(list(arguments)), list(arguments), input=typed)


def test_the_overview_names_every_command_without_importing_any() -> None:
    """`mien --help` stays quick however heavy a command is."""
    result = run("--help")
    assert result.exit_code == 0
    assert all(name in result.output for name in COMMANDS)


@pytest.mark.parametrize("name", ["up", "demo", "status", "doctor", "cameras", "people", "readings"])
def test_each_command_explains_itself(name: str) -> None:
    """The table's modules and names exist."""
    assert run(name, "--help").exit_code == 0


def test_a_camera_password_comes_from_standard_input(gateway: FakeGateway) -> None:
    """It reaches the gateway with the token, and never stands among the arguments."""
    gateway.answers["POST", "/api/cameras"] = [(201, {"camera_id": "door"})]
    arguments = ["cameras", "add", "Door", "rtsp://10.0.0.9/1", "--username", "u", "--password-stdin"]
    result = run(*arguments, typed="s3cret\n")
    assert result.exit_code == 0, result.output
    ((_, _, authorization, body),) = gateway.requests
    assert authorization == f"Bearer {TOKEN}"
    assert json.loads(body) == {
        "name": "Door",
        "url": "rtsp://10.0.0.9/1",
        "username": "u",
        "password": "s3cret",
    }
    assert "s3cret" not in result.output


def test_a_video_file_becomes_an_absolute_address(gateway: FakeGateway, tmp_path: Path) -> None:
    """The gateway doesn't share the caller's working folder."""
    gateway.answers["POST", "/api/cameras"] = [(201, {"camera_id": "clip"})]
    run("cameras", "add", "Clip", str(tmp_path / "clip.mp4"))
    assert json.loads(gateway.requests[0][3])["url"] == f"file://{tmp_path}/clip.mp4"


def test_a_refusal_is_told_in_the_words_of_the_gateway(gateway: FakeGateway) -> None:
    """The detail is shown and the exit code is 1."""
    gateway.answers["POST", "/api/cameras"] = [(409, {"detail": "camera door exists"})]
    result = run("cameras", "add", "Door", "rtsp://10.0.0.9/1")
    assert result.exit_code == 1
    assert "camera door exists" in result.output


def test_only_what_is_given_is_edited(gateway: FakeGateway) -> None:
    """Everything else keeps its value, the password above all."""
    gateway.answers["PATCH", "/api/cameras/door"] = [(200, {"camera_id": "door", "revision": 2})]
    assert run("cameras", "edit", "door", "--fps", "2", "--no-enabled").exit_code == 0
    assert json.loads(gateway.requests[0][3]) == {"sampled_fps": 2.0, "enabled": False}


FITNESS = {
    "fitness": "poor",
    "tracks": 40,
    "usable_share": 0.25,
    "advice": "All faces are too small.",
    "median_face_px": 34.4,
    "median_sharpness": 51.0,
    "median_brightness": 120.0,
}
NEEDED = {
    "face_px": {"at_least": 60.0, "at_most": None},
    "sharpness": {"at_least": 20.0, "at_most": None},
    "brightness": {"at_least": 40.0, "at_most": 200.0},
}
WORK = {"captured": 54_000, "looked_at": 1240, "faces": 62, "identity_shots": 12, "emotion_shots": 0}


def fitness_answers(gateway: FakeGateway, *, fitness: dict[str, Any], work: dict[str, int]) -> None:
    report = {"fitness": fitness, "needed": NEEDED, "tracks_needed": 10}
    gateway.answers["GET", "/api/cameras/door/fitness"] = [(200, report)]
    gateway.answers["GET", "/api/cameras/door/work"] = [(200, work)]
    gateway.answers["DELETE", "/api/cameras/door/fitness"] = [(204, None)]


def test_fitness_is_told_with_its_advice_and_the_work_of_an_hour(gateway: FakeGateway) -> None:
    """Rating, advice, typical face against what is needed, and what the pictures came to."""
    fitness_answers(gateway, fitness=FITNESS, work=WORK)
    words = " ".join(run("cameras", "fitness", "door").output.split())
    assert "poor: 25 % of the last 40 faces" in words
    assert "All faces are too small." in words
    assert "34 px (needs 60)" in words
    assert "54000 pictures, 1240 looked at, 62 faces" in words
    assert [method for method, *_ in gateway.requests] == ["GET", "GET"]


def test_fitness_of_a_camera_that_was_moved_begins_again(gateway: FakeGateway) -> None:
    """What was seen from the old place is forgotten first; then everything is unknown."""
    fitness_answers(
        gateway, fitness=FITNESS | {"fitness": "unknown", "tracks": 0}, work=WORK | {"captured": 0}
    )
    words = run("cameras", "fitness", "door", "--reset").output
    assert "0 of the 10 faces needed have passed" in words
    assert "no picture came" in words
    assert [method for method, *_ in gateway.requests] == ["DELETE", "GET", "GET"]


def test_zones_are_added_to_those_there_are_or_take_their_place(gateway: FakeGateway) -> None:
    """A zone is written as a polygon in shares; --clear-zones takes all away, or those there were."""
    old = {"points_xy": [[0, 0], [1, 0], [1, 1]], "ignores": "everything"}
    new = {"points_xy": [[0, 0], [0.3, 0], [0.3, 1], [0, 1]], "ignores": "movement"}
    gateway.answers["GET", "/api/cameras/door"] = [(200, {"ignored_zones": [old]})]
    gateway.answers["PATCH", "/api/cameras/door"] = [(200, {"camera_id": "door", "revision": 2})]
    zone = ("--ignore-zone", "movement:0,0 0.3,0 0.3,1 0,1")
    for arguments in (zone, (*zone, "--clear-zones"), ("--clear-zones",)):
        assert run("cameras", "edit", "door", *arguments).exit_code == 0
    sent = [json.loads(body)["ignored_zones"] for method, _, _, body in gateway.requests if method == "PATCH"]
    assert sent == [[old, new], [new], []]


@pytest.mark.parametrize(
    "zone", ["", "0,0 1,1", "faces:0,0 1,0 1,1", "0,0 1,0 1,2", "0,0 1,0 1", "0,0 1,0 a,b", "0,0 1,0 nan,1"]
)
def test_a_zone_that_is_none_is_told(zone: str) -> None:
    """What was expected, and what came."""
    result = run("cameras", "edit", "door", "--ignore-zone", zone)
    assert result.exit_code == 2
    assert "expected movement: or everything:" in " ".join(result.output.split())


def test_a_main_stream_is_named_and_taken_away(gateway: FakeGateway) -> None:
    """An empty address takes it away; the list says how it is, and what is ignored."""
    gateway.answers["PATCH", "/api/cameras/door"] = [(200, {"camera_id": "door", "revision": 2})]
    for url in ("rtsp://10.0.0.9/main", ""):
        assert run("cameras", "edit", "door", "--main-stream-url", url).exit_code == 0
    sent = [json.loads(body)["main_stream_url"] for _, _, _, body in gateway.requests]
    assert sent == ["rtsp://10.0.0.9/main", None]
    main = {"state": "not_found", "reason": "the camera has no stream at this path"}
    zone = {"points_xy": [[0, 0], [1, 0], [1, 1]], "ignores": "movement"}
    camera = {
        "camera_id": "door",
        "name": "Door",
        "url": "rtsp://10.0.0.9/sub",
        "emotion_policy": "off",
        "fitness": {"fitness": "good"},
        "status": {"state": "streaming", "reason": "", "main_stream": main},
        "main_stream_url": "rtsp://10.0.0.9/main",
        "ignored_zones": [zone, zone],
    }
    gateway.answers["GET", "/api/cameras"] = [(200, [camera])]
    shown = " ".join(run("cameras", "list").output.split())
    for words in ("not_found", "no stream", "movement in 2 zones"):
        assert all(word in shown for word in words.split())


def test_readings_are_shown_changed_and_stopped(gateway: FakeGateway) -> None:
    """Where emotion is read, what for, and who turned it on; only what is given is changed."""
    camera = {
        "camera_id": "crane", "emotion_policy": "per_person", "emotion_purpose": "stress",
        "context": "workplace", "emotion_exemption": "safety", "emotion_exemption_note": "risk list",
        "emotion_set_by": "admin", "emotion_set_at_ns": 1_790_000_000 * 10**9,
        "tiredness_policy": "off", "tiredness_purpose": "",
    }  # fmt: skip
    stopped = {"by": "admin", "at": "2026-11-25T04:00:00Z", "reason": "works council"}
    gateway.answers["GET", "/api/readings"] = [(200, {"stopped": stopped, "changes": []})]
    gateway.answers["GET", "/api/cameras"] = [(200, [camera])]
    shown = " ".join(run("readings", "show").output.split())
    for words in ("stopped by admin: works council", "crane", "per_person", "stress", "safety", "risk list"):
        assert all(word in shown for word in words.split())
    gateway.answers["PATCH", "/api/cameras/crane"] = [(200, camera)]
    assert (
        run("readings", "set", "crane", "--tiredness", "per_person", "--tiredness-purpose", "x").exit_code
        == 0
    )
    assert json.loads(gateway.requests[-1][3]) == {"tiredness_policy": "per_person", "tiredness_purpose": "x"}
    assert run("readings", "set", "crane").exit_code == 2
    gateway.answers["PUT", "/api/readings/stop"] = [(200, stopped)]
    gateway.answers["DELETE", "/api/readings/stop"] = [(204, None)]
    assert run("readings", "stop", "--reason", "works council").exit_code == 0
    assert json.loads(gateway.requests[-1][3]) == {"reason": "works council"}
    assert run("readings", "resume").exit_code == 0
    assert run("readings", "export").exit_code == 2


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


def test_without_a_running_stack_the_commands_say_how_to_start_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback for somebody who forgot `mien up`."""
    monkeypatch.setenv("MIEN_HOME", str(tmp_path))
    for arguments in (["cameras", "list"], ["people", "list"], ["status"]):
        result = run(*arguments)
        assert result.exit_code == 1
        assert "mien up" in " ".join(result.output.split())


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
    assert "choose an empty folder" in " ".join(again.output.split())


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


def test_training_asks_for_exactly_one_source(gateway: FakeGateway) -> None:
    for arguments in ([], ["data", "--gallery"]):
        result = run("train", "identity", *arguments)
        assert result.exit_code == 2
        assert "expected one of DATA, --gallery and --resume" in result.output


def test_a_data_set_that_is_not_there_is_said_in_words(gateway: FakeGateway, tmp_path: Path) -> None:
    result = run("train", "identity", str(tmp_path / "nothing"))
    assert result.exit_code == 1
    assert "mien dataset prepare" in result.output
    assert "No job yet" in run("train", "jobs").output


def test_jobs_are_listed_shown_and_forgotten(gateway: FakeGateway, tmp_path: Path) -> None:
    """One that failed: nobody is enrolled."""
    gateway.answers["GET", "/api/people"] = [(200, [])]
    assert run("train", "identity", "--gallery").exit_code == 1
    (folder,) = (tmp_path / "jobs").iterdir()
    assert "failed" in run("train", "jobs").output
    assert "nobody is enrolled yet" in run("train", "show", folder.name).output
    assert "does not run, it is failed" in run("train", "cancel", folder.name).output
    assert run("train", "forget", folder.name).exit_code == 0
    assert not folder.exists()
    assert "no such job" in run("train", "show", folder.name).output
