import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from services.model_server.config import ModelServerSettings
from services.model_server.pipeline import RefusedError
from services.model_server.served_models import ServedModels
from tests.unit.model_server.tiny_models import write_scaler

IMAGES = {"images": np.array([[1, 2, 3, 4]], np.uint8)}


def served(folder: Path, **settings: Any) -> ServedModels:
    return ServedModels(ModelServerSettings(model_repo=folder, **settings))


async def scaled(models: ServedModels, **which: Any) -> float:
    loaded = models.find("scaler", **which)
    outputs = await loaded.run(loaded.servable.signatures["serving_default"], IMAGES, 1)
    return float(outputs["scaled"][0, 0])


def states(models: ServedModels) -> dict[int, str]:
    return {version: record.state for version, record in models.records("scaler").items()}


async def test_the_latest_version_is_loaded(tmp_path: Path) -> None:
    """The first look loads at once; both signatures are there."""
    write_scaler(tmp_path / "scaler" / "1", factor=2)
    write_scaler(tmp_path / "scaler" / "2", factor=3)
    models = served(tmp_path)
    await models.refresh()
    assert states(models) == {2: "AVAILABLE"}
    assert await scaled(models) == 3
    assert set(models.find("scaler").servable.signatures) == {"serving_default", "negated"}
    assert models.problems() == {}
    await models.close()


async def test_a_new_version_waits_until_its_files_rest(tmp_path: Path) -> None:
    """A version that grows between two looks is left alone; once it rests, it takes over."""
    write_scaler(tmp_path / "scaler" / "1", factor=2)
    models = served(tmp_path)
    await models.refresh()

    write_scaler(tmp_path / "whole", factor=3)
    content = (tmp_path / "whole" / "saved_model.pb").read_bytes()
    model_file = tmp_path / "scaler" / "2" / "saved_model.pb"
    model_file.parent.mkdir()
    await models.refresh()
    for size in (10, 20, len(content)):
        model_file.write_bytes(content[:size])
        await models.refresh()
        assert states(models) == {1: "AVAILABLE"}
    await models.refresh()
    assert states(models) == {1: "END", 2: "AVAILABLE"}
    assert await scaled(models) == 3
    await models.close()


async def test_a_broken_version_is_shown_and_not_tried_for_ever(tmp_path: Path) -> None:
    """Its error stands in the status, the old version answers, and only changed files are read again."""
    write_scaler(tmp_path / "scaler" / "1", factor=2)
    models = served(tmp_path)
    await models.refresh()
    broken = tmp_path / "scaler" / "2"
    broken.mkdir()
    (broken / "saved_model.pb").write_bytes(b"\xff" * 50)
    for _ in range(3):
        await models.refresh()
    record = models.records("scaler")[2]
    assert record.state == "END"
    assert "DecodeError" in record.error
    assert await scaled(models) == 2
    await models.refresh()
    assert models.records("scaler")[2] is record
    await models.close()


async def test_a_label_moves_only_to_a_version_that_answers(tmp_path: Path) -> None:
    """Labels choose versions; one that names a broken version stays where it was."""
    for version, factor in (("1", 2), ("2", 3)):
        write_scaler(tmp_path / "scaler" / version, factor=factor)
    labels = tmp_path / "scaler" / "labels.json"
    labels.write_text(json.dumps({"stable": 1, "canary": 2}))
    models = served(tmp_path)
    await models.refresh()
    assert await scaled(models, label="stable") == 2
    assert await scaled(models, label="canary") == 3
    assert await scaled(models) == 3
    with pytest.raises(RefusedError, match="Unrecognized servable version label: none"):
        models.find("scaler", label="none")

    labels.write_text(json.dumps({"stable": 2, "canary": 9}))
    await models.refresh()
    assert states(models) == {1: "END", 2: "AVAILABLE"}
    assert await scaled(models, label="stable") == 3
    assert await scaled(models, label="canary") == 3
    await models.close()


async def test_what_is_not_loaded_is_not_found(tmp_path: Path) -> None:
    """Unknown models and versions are NOT_FOUND; a model that can't be loaded is a problem."""
    (tmp_path / "scaler" / "1").mkdir(parents=True)
    (tmp_path / "scaler" / "1" / "saved_model.pb").write_bytes(b"\xff")
    models = served(tmp_path)
    await models.refresh()
    for version in (None, 1, 2):
        with pytest.raises(RefusedError, match="Servable not found") as caught:
            models.find("scaler", version=version)
        assert caught.value.code is grpc.StatusCode.NOT_FOUND
    assert "DecodeError" in models.problems()["scaler"]


async def test_a_repository_that_breaks_later_leaves_things_as_they_are(tmp_path: Path) -> None:
    """Broken labels end the start, but not a server that runs; versions that vanish go on answering."""
    write_scaler(tmp_path / "scaler" / "1", factor=2)
    labels = tmp_path / "scaler" / "labels.json"
    labels.write_text("{")
    with pytest.raises(ValueError, match="Expecting"):
        await served(tmp_path).refresh()
    labels.unlink()
    models = served(tmp_path)
    await models.refresh()
    labels.write_text("{")
    await models.refresh()
    labels.unlink()
    (tmp_path / "scaler" / "1" / "saved_model.pb").unlink()
    (tmp_path / "scaler" / "1").rmdir()
    await models.refresh()
    assert await scaled(models) == 2
    await models.close()


async def test_compiled_models_are_kept_when_a_cache_is_given(tmp_path: Path) -> None:
    """The cache folder fills, and a second server answers from it."""
    write_scaler(tmp_path / "repo" / "scaler" / "1", factor=2)
    for _ in range(2):
        models = served(tmp_path / "repo", cache_dir=tmp_path / "cache")
        await models.refresh()
        assert await scaled(models) == 2
        await models.close()
    assert any((tmp_path / "cache").iterdir())


def test_the_engine_cannot_call_home() -> None:
    """Loading the engine leaves its telemetry package out of the process."""
    code = """
import sys, services.model_server.servable
print([name for name in sys.modules if name.startswith("openvino_telemetry") and sys.modules[name]])
"""
    printed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.strip() == "[]"
