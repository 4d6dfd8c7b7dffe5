"""Where measurements keep their data, and what is left of them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from rich.console import Console

from mien.commands.bench import workplace


@pytest.fixture
def seen() -> Iterator[list[Path]]:
    """Folders of the measurements that ran; what they leave is removed."""
    folders: list[Path] = []
    yield folders
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def measure(seen: list[Path], error: Exception | None = None) -> None:
    """Write a log, and fail if asked to."""
    with workplace(Console()) as folder:
        seen.append(folder)
        (folder / "stack.log").write_text("port in use")
        if error is not None:
            raise error


def test_nothing_is_left_of_a_measurement_that_worked(seen: list[Path]) -> None:
    """Its figures are elsewhere."""
    measure(seen)
    assert not seen[0].exists()


def test_logs_of_a_failure_are_kept_and_it_is_told_in_words(
    seen: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """An exit with a message and the folder; a traceback would bury both."""
    with pytest.raises(typer.Exit):
        measure(seen, RuntimeError("the stack did not start"))
    said = capsys.readouterr().out.replace("\n", "")
    assert "the stack did not start" in said
    assert str(seen[0]) in said
    assert (seen[0] / "stack.log").read_text() == "port in use"


def test_a_defect_is_not_hushed_up(seen: list[Path]) -> None:
    """Its logs are kept too, and it is raised as it is."""
    with pytest.raises(ZeroDivisionError):
        measure(seen, ZeroDivisionError())
    assert seen[0].exists()
