"""What folders of pictures hold, told before a training; and that what is offered can be run."""

from pathlib import Path

import msgspec
from typer.testing import CliRunner

from mien.commands.train import app
from mien.contracts.job_kinds import JOB_KINDS
from services.gateway.training_data import folders_to_train_on

FACES = msgspec.structs.replace(JOB_KINDS["identity"], trains_on="folder")


def test_every_kind_that_is_offered_is_a_command_that_goes_on_with_a_job() -> None:
    for kind in JOB_KINDS:
        told = CliRunner().invoke(app, [kind, "--help"], env={"COLUMNS": "200"})
        assert told.exit_code == 0
        assert all(option in told.output for option in ("--resume", "--home", "--root"))


def test_pictures_are_counted_by_folder_or_by_name(tmp_path: Path) -> None:
    names = [f"happy/{number}.jpg" for number in range(3)]
    names += [f"Ada/Ada_Lovelace-sad-{number}.png" for number in range(4)]
    names += ["happy/notes.txt", "loose.jpg"]
    for name in names:
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).touch()
    (source,) = folders_to_train_on(tmp_path, FACES)
    assert (source.source, source.pictures, source.is_ready) == ("mine", 8, True)
    assert {group.name: (group.pictures, group.is_enough) for group in source.groups} == {
        "happy": (3, True),
        "sad": (4, True),
        "not in a folder of their own": (1, False),
    }


def test_expressions_are_counted_for_the_label_they_mean_and_others_are_named(tmp_path: Path) -> None:
    for word in ("anger", "Angry", "disgust"):
        (tmp_path / "fer" / word).mkdir(parents=True)
        for number in range(2):
            (tmp_path / "fer" / word / f"{word}-{number}.png").touch()
    (source,) = folders_to_train_on(tmp_path, JOB_KINDS["emotion"])
    assert [(group.name, group.pictures, group.is_enough) for group in source.groups] == [("angry", 4, True)]
    assert [(group.name, group.pictures) for group in source.not_learnt] == [("disgust", 2)]
    assert not source.is_ready


def test_there_may_be_no_folders(tmp_path: Path) -> None:
    assert folders_to_train_on(None, FACES) == []
    assert folders_to_train_on(tmp_path / "nowhere", FACES) == []
