"""Versions are tried as canary, promoted, and rolled back; both model servers are told the same."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mien.commands.models import app
from mien.errors import PermanentError
from model_repo import labels, repository
from model_repo.saved_model import BATCH, DataType, Graph, Model, Port
from services.model_server.repository import read_wanted_models

RUN = CliRunner()
MODEL = "identity_classifier"


def tiny_model() -> Model:
    graph = Graph()
    graph.placeholder("x", DataType.FLOAT, (BATCH, 2))
    return Model(graph, {"x": Port("x", DataType.FLOAT, (BATCH, 2))}, {})


def add_version(root: Path, version: int) -> None:
    folder = root / MODEL / str(version)
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").touch()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for version in (1, 2, 3):
        add_version(tmp_path, version)
    return tmp_path


def test_the_first_version_is_stable_and_later_ones_are_tried_first(root: Path) -> None:
    assert labels.label_new_version(root, MODEL, 1) == "stable"
    assert labels.label_new_version(root, MODEL, 2) == "canary"
    assert labels.read_labels(root, MODEL) == {"stable": 1, "canary": 2}


def test_what_was_built_without_a_label_comes_before_what_was_trained(root: Path) -> None:
    """Nobody puts a trained network to use by training it."""
    assert labels.label_new_version(root, MODEL, 3) == "canary"
    assert labels.read_labels(root, MODEL) == {"stable": 2, "canary": 3}


def test_promotion_and_rollback_undo_each_other(root: Path) -> None:
    labels.label_new_version(root, MODEL, 1)
    labels.label_new_version(root, MODEL, 2)
    assert labels.promote(root, MODEL) == 2
    assert labels.read_labels(root, MODEL) == {"stable": 2, "previous": 1}
    assert labels.roll_back(root, MODEL) == 1
    assert labels.read_labels(root, MODEL) == {"stable": 1, "canary": 2}
    assert labels.promote(root, MODEL) == 2


def test_what_cannot_be_done_says_what_there_is(root: Path) -> None:
    with pytest.raises(PermanentError, match=r"no canary to promote; labels: none"):
        labels.promote(root, MODEL)
    labels.set_label(root, MODEL, "stable", 1)
    with pytest.raises(PermanentError, match=r"nothing to go back to; labels: stable 1"):
        labels.roll_back(root, MODEL)
    with pytest.raises(PermanentError, match=r"no version 9; there are: 1, 2, 3"):
        labels.set_label(root, MODEL, "canary", 9)
    with pytest.raises(PermanentError, match="no version is labelled canary"):
        labels.remove_label(root, MODEL, "canary")


@pytest.mark.parametrize("text", ["{", "[]", '{"stable": "1"}'])
def test_a_broken_file_is_refused(root: Path, text: str) -> None:
    (root / MODEL / "labels.json").write_text(text)
    with pytest.raises(PermanentError, match=r"labels\.json"):
        labels.read_labels(root, MODEL)


def test_tensorflow_serving_is_told_what_the_embedded_server_reads(root: Path) -> None:
    """The configuration asks for the same versions and labels, and leaves models out that have no version."""
    (root / "notes").mkdir()
    labels.set_label(root, MODEL, "stable", 1)
    labels.set_label(root, MODEL, "canary", 2)
    config = root / "models.config"
    assert read_wanted_models(root, config) == read_wanted_models(root, None)
    wanted = read_wanted_models(root, config)[MODEL]
    assert sorted(wanted.versions) == [1, 2, 3]
    assert wanted.labels == {"stable": 1, "canary": 2}
    assert set(read_wanted_models(root, config)) == {MODEL}


def test_a_new_version_takes_a_number_that_nothing_has_had(tmp_path: Path) -> None:
    """Not even one whose files are gone while its label stands."""
    model = tiny_model()
    assert repository.publish_next(model, tmp_path, MODEL, origin={}).name == "1"
    (tmp_path / MODEL / "labels.json").write_text(json.dumps({"stable": 1, "previous": 4}))
    assert repository.publish_next(model, tmp_path, MODEL, origin={"source": "here"}).name == "5"
    assert labels.versions(tmp_path, MODEL) == [1, 5]
    assert repository.damaged_files(tmp_path / MODEL / "5") == []


def test_the_command_line_labels_promotes_rolls_back_and_shows(root: Path) -> None:
    place = ["--root", str(root)]
    for arguments in (["label", MODEL, "stable", "1"], ["label", MODEL, "canary", "3"], ["promote", MODEL]):
        result = RUN.invoke(app, [*arguments, *place])
        assert result.exit_code == 0, result.output
    assert "version 3 is stable" in result.output
    assert "previous" in RUN.invoke(app, ["list", *place], env={"COLUMNS": "160"}).output
    assert "version 1 is stable again" in RUN.invoke(app, ["rollback", MODEL, *place]).output
    assert RUN.invoke(app, ["unlabel", MODEL, "canary", *place]).exit_code == 0
    failed = RUN.invoke(app, ["promote", MODEL, *place])
    assert failed.exit_code == 1
    assert "no canary" in failed.output
