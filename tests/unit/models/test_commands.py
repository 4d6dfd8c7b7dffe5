"""What `mien models` says and how it ends."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mien.commands.models import app
from model_repo import repository

RUN = CliRunner()


def test_verify_fails_while_models_are_missing(tmp_path: Path) -> None:
    """Every model that is not ready is named, and the command that builds it."""
    result = RUN.invoke(app, ["verify", "--root", str(tmp_path)])
    assert result.exit_code == 1
    for recipe in repository.RECIPES:
        assert f"{recipe.name}/1: missing" in result.stdout
    assert "mien models build" in result.stderr


def test_list_shows_every_model_and_its_source(tmp_path: Path) -> None:
    """The list needs no built model."""
    result = RUN.invoke(app, ["list", "--root", str(tmp_path)])
    assert result.exit_code == 0
    assert "face_embedder_faceres" in result.stdout
    assert "missing" in result.stdout


def test_a_build_that_cannot_fetch_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure is one sentence on stderr, not a traceback."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    result = RUN.invoke(app, ["build", "--root", str(tmp_path)])
    assert result.exit_code == 1
    assert "npm is not installed" in result.stderr
    assert "Traceback" not in result.output
