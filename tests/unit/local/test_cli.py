"""The command line: one table of commands, errors in words, no passwords in arguments."""

import json
from pathlib import Path
from typing import Any

import pytest

from mien.cli import COMMANDS
from tests.unit.local.command_line import TOKEN, FakeGateway, run


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


def test_without_a_running_stack_the_commands_say_how_to_start_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback for somebody who forgot `mien up`."""
    monkeypatch.setenv("MIEN_HOME", str(tmp_path))
    for arguments in (["cameras", "list"], ["people", "list"], ["status"]):
        result = run(*arguments)
        assert result.exit_code == 1
        assert "mien up" in " ".join(result.output.split())


def test_training_asks_for_exactly_one_source(gateway: FakeGateway) -> None:
    for arguments in ([], ["data", "--gallery"]):
        result = run("train", "identity", *arguments)
        assert result.exit_code == 2
        assert "expected one of DATA, --gallery and --resume" in result.output


def test_training_emotions_asks_for_exactly_one_source(gateway: FakeGateway, tmp_path: Path) -> None:
    for arguments in ([], [str(tmp_path), "--gallery"], ["--gallery", "--recipe", str(tmp_path)]):
        result = run("train", "emotion", *arguments)
        assert result.exit_code == 2
        assert "expected one of DATA, --gallery, --recipe and --resume" in result.output


def test_emotions_that_cannot_be_learnt_make_no_job(gateway: FakeGateway, tmp_path: Path) -> None:
    """Nothing there, another label than the five, a person in two parts."""
    (tmp_path / "data" / "bored").mkdir(parents=True)
    result = run("train", "emotion", str(tmp_path / "data"))
    assert "expected pictures in a folder for each label (angry, happy" in result.output
    (tmp_path / "data" / "bored" / "1.jpg").touch()
    result = run("train", "emotion", str(tmp_path / "data"))
    assert "found none; other labels: bored (1)" in " ".join(result.output.split())
    rows = ["path,label,person,split", "bored/1.jpg,sad,Ada,train", "bored/1.jpg,happy,Ada,test"]
    (tmp_path / "data" / "labels.csv").write_text("\n".join(rows))
    result = run("train", "emotion", str(tmp_path / "data"))
    assert result.exit_code == 1
    assert "the split leaks Ada (train, test)" in " ".join(result.output.split())
    assert "No job yet" in run("train", "jobs").output


def test_training_on_what_the_coach_collected_needs_something_collected(
    gateway: FakeGateway, tmp_path: Path
) -> None:
    """The job knows whose photos it was to be made from, so that forgetting one of them deletes it."""
    gateway.answers["GET", "/api/people"] = [(200, [{"person_id": "p1", "name": "Rosa"}])]
    gateway.answers["POST", "/api/people/emotion-exports"] = [(200, [])]
    result = run("train", "emotion", "--gallery")
    assert result.exit_code == 1
    assert "the coach asks for five expressions" in " ".join(result.output.split())
    (folder,) = (tmp_path / "jobs").iterdir()
    assert json.loads((folder / "people.json").read_text()) == ["p1"]


def test_a_job_of_another_kind_is_gone_on_with_by_its_own_command(
    gateway: FakeGateway, tmp_path: Path
) -> None:
    gateway.answers["GET", "/api/people"] = [(200, [])]
    run("train", "identity", "--gallery")
    (folder,) = (tmp_path / "jobs").iterdir()
    result = run("train", "emotion", "--resume", folder.name)
    assert result.exit_code == 1
    assert f"mien train identity --resume {folder.name}" in " ".join(result.output.split())


def test_what_the_coach_collected_is_learnt_from_person_by_person(
    gateway: FakeGateway, tmp_path: Path
) -> None:
    """Too few people is said in words, after the photos were fetched with whose they are."""
    photos = [
        {"photo_id": f"{label}-{n}", "person_id": "p1", "label": label, "image_url": f"/{label}-{n}.jpg"}
        for label in ("happy", "tired")
        for n in range(3)
    ]
    gateway.answers["GET", "/api/people"] = [(200, [{"person_id": "p1", "name": "Rosa"}])]
    gateway.answers["POST", "/api/people/emotion-exports"] = [(200, photos)]
    for photo in photos:
        gateway.answers["GET", photo["image_url"]] = [(200, "jpeg")]
    result = run("train", "emotion", "--gallery")
    assert result.exit_code == 1
    assert "with 1 people validation has no happy" in " ".join(result.output.split())


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
