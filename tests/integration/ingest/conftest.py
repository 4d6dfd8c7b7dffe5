"""Clips that the simulated cameras show."""

from pathlib import Path

import pytest

from tests.integration.ingest.harness import write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a moving picture, 320x180."""
    return write_clip(tmp_path_factory.mktemp("clips") / "small.mp4")


@pytest.fixture(scope="module")
def wide_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, 640x360."""
    return write_clip(tmp_path_factory.mktemp("clips") / "wide.mp4", size_wh=(640, 360))
