"""Labelled faces that are not there, and such that are."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mien.commands.evaluate import app
from mien.evaluate.identity import data


def test_missing_faces_are_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ends with what it expected and where, and writes nothing."""
    with pytest.raises(data.DataMissingError, match="expected labelled faces in"):
        data.require_data(tmp_path)
    original = data.require_data
    monkeypatch.setattr(data, "require_data", lambda: original(tmp_path))
    result = CliRunner().invoke(app, ["identity", "--no-peers"])
    assert result.exit_code == 1
    assert "lfw/pairs.csv" in result.stderr


def test_strangers_are_those_of_the_pairs_who_are_not_enrolled(tmp_path: Path) -> None:
    lfw = tmp_path / "lfw"
    lfw.mkdir()
    (lfw / "pairs.csv").write_text("a,b,same,fold\nx/Ada/1.jpg,x/Bo/1.jpg,0,1\nx/Bo/1.jpg,x/Bo/2.jpg,1,2\n")
    (lfw / "gallery.csv").write_text("path,person,role\nx/Ada/1.jpg,Ada,enroll\nx/Ada/2.jpg,Ada,probe\n")
    assert list(data.lfw_strangers(tmp_path)) == ["Bo"]
    assert len(data.lfw_strangers(tmp_path)["Bo"]) == 2
    assert [pair.fold for pair in data.lfw_pairs(tmp_path)] == [1, 2]
    assert data.lfw_gallery(tmp_path)["Ada"].probe == (lfw / "x/Ada/2.jpg",)
