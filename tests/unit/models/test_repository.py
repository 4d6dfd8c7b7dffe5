"""When a model is built, and what is known about it afterwards."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from mien.errors import PermanentError
from model_repo import repository
from model_repo.repository import Recipe, State, Step
from model_repo.saved_model import BATCH, DataType, Graph, Model, Port
from model_repo.sources import Package, PackageFiles

PACKAGE = Package("npm", "weights", "1.0.0", "0" * 64)


@dataclass
class Bench:
    """A repository with one recipe whose package needs no network."""

    root: Path
    built: int = 0
    steps: list[Step] = field(default_factory=list)
    value: float = 1.0

    def recipe(self, package: Package = PACKAGE) -> Recipe:
        return Recipe("face_embedder", 1, package, self._model)

    def build(self, recipe: Recipe | None = None, *, force: bool = False) -> bool:
        return repository.build(recipe or self.recipe(), self.root, on_step=self.steps.append, force=force)

    @property
    def folder(self) -> Path:
        return self.recipe().folder(self.root)

    def _model(self, files: PackageFiles) -> Model:
        self.built += 1
        graph = Graph()
        graph.constant("y", np.array([self.value, 0], np.float32))
        return Model(graph, {}, {"y": Port("y", DataType.FLOAT, (BATCH,))})


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(repository, "fetch", lambda package, cache: PackageFiles(cache / "archive"))
    return Bench(tmp_path)


def test_a_missing_model_is_built(bench: Bench) -> None:
    """After a build the version is complete and the steps were shown in order."""
    assert repository.state(bench.folder, bench.recipe()) is State.MISSING
    assert bench.build()
    assert repository.state(bench.folder, bench.recipe()) is State.READY
    assert bench.steps == list(Step)


def test_a_ready_model_is_left_alone(bench: Bench) -> None:
    """A second build does nothing but check."""
    bench.build()
    assert not bench.build()
    assert bench.built == 1


def test_a_ready_model_can_be_built_by_force(bench: Bench) -> None:
    """The new bytes take the place of the old ones."""
    bench.build()
    before = (bench.folder / "saved_model.pb").read_bytes()
    bench.value = 2.0
    assert bench.build(force=True)
    assert (bench.folder / "saved_model.pb").read_bytes() != before


@pytest.mark.parametrize("name", ["saved_model.pb", "assets.extra/build.json"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"x")])
def test_a_damaged_model_is_built_again(bench: Bench, name: str, damage: object) -> None:
    """A file that is missing or changed is noticed and repaired."""
    assert callable(damage)
    bench.build()
    damage(bench.folder / name)
    assert repository.state(bench.folder, bench.recipe()) is State.DAMAGED
    assert repository.damaged_files(bench.folder) == [name]
    assert bench.build()
    assert repository.state(bench.folder, bench.recipe()) is State.READY


def test_another_package_makes_a_model_outdated(bench: Bench) -> None:
    """What a model was made from decides whether it is still the right one."""
    bench.build()
    newer = bench.recipe(Package("npm", "weights", "1.0.1", "1" * 64))
    assert repository.state(bench.folder, newer) is State.OUTDATED
    assert bench.build(newer)
    assert repository.state(bench.folder, newer) is State.READY


def test_a_failed_build_leaves_the_old_version(bench: Bench) -> None:
    """Half a model is never where a model server looks."""
    bench.build()

    def fail(files: PackageFiles) -> Model:
        raise PermanentError("weights k: unknown type")

    with pytest.raises(PermanentError):
        bench.build(Recipe("face_embedder", 1, PACKAGE, fail), force=True)
    assert repository.state(bench.folder, bench.recipe()) is State.READY


def test_the_inventory_shows_what_is_there_and_what_should_be(bench: Bench) -> None:
    """Imported versions are listed beside those we build, whether these are there or not."""
    (bench.root / "imported" / "3").mkdir(parents=True)
    found = repository.inventory(bench.root)
    assert (bench.root / "imported" / "3", None) in found
    assert {recipe for _, recipe in found if recipe} == set(repository.RECIPES)
