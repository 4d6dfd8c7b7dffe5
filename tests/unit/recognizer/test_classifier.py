"""The classifier is asked by its label, tells whom it knows itself, and never stands in the way."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from prometheus_client import REGISTRY

from mien.contracts.models import (
    CLASSES_JSON,
    EMBEDDINGS,
    FACE_EMBEDDER,
    IDENTITY_CLASSIFIER,
    PROBABILITIES,
    IdentityClasses,
)
from mien.errors import TransientError
from mien.runtime.service import Service
from mien.runtime.serving import Prediction
from services.recognizer.classifier import IdentityClassifier

VECTOR = np.zeros(FACE_EMBEDDER.dimensions, np.float32)


class FakeServing:
    """A model server with versions of the classifier under labels; each is sure of its first person."""

    def __init__(self) -> None:
        self.labels = {"stable": 1}
        self.versions = {1: ["ada", "bob"]}
        self.embedder = FACE_EMBEDDER.name
        self.while_asked: Callable[[], Awaitable[None]] | None = None

    async def predict(
        self,
        model: str,
        inputs: dict[str, NDArray[np.float32]],
        *,
        output_names: list[str],
        version: int | None = None,
        version_label: str | None = None,
        timeout_seconds: float,
    ) -> Prediction:
        assert (model, timeout_seconds) == (IDENTITY_CLASSIFIER, 2.0)
        rows, width = inputs[EMBEDDINGS].shape
        assert width == FACE_EMBEDDER.dimensions
        chosen = self.labels.get(version_label or "", 0) if version is None else version
        if output_names == [PROBABILITIES] and self.while_asked is not None:
            await self.while_asked()
        if chosen not in self.versions:
            raise TransientError("model server: NOT_FOUND")
        people = self.versions[chosen]
        classes = IdentityClasses(
            embedder=self.embedder, embedder_version=1, person_ids=people, accept_probability=0.9
        )
        text = np.frombuffer(msgspec.json.encode(classes), np.uint8)
        probabilities = np.zeros((rows, len(people)), np.float32)
        probabilities[:, 0] = 1
        outputs: dict[str, NDArray[Any]] = {
            CLASSES_JSON: np.tile(text, (rows, 1)),
            PROBABILITIES: probabilities,
        }
        return Prediction({name: outputs[name] for name in output_names}, chosen)


@pytest.fixture
def serving() -> FakeServing:
    return FakeServing()


@pytest.fixture
def classifier(serving: FakeServing) -> IdentityClassifier:
    return IdentityClassifier(
        serving,  # type: ignore[arg-type]
        FACE_EMBEDDER,
        embedder_version=1,
        label="stable",
        timeout_seconds=2.0,
    )


def without_opinion() -> float:
    return (
        REGISTRY.get_sample_value("mien_dropped_total", {"stage": "recognizer", "reason": "no_opinion"}) or 0
    )


async def test_the_label_s_version_tells_whom_it_knows(classifier: IdentityClassifier) -> None:
    await classifier.refresh()
    assert classifier.problem is None
    opinion = await classifier.opinion(VECTOR)
    assert opinion is not None
    assert (opinion.probabilities, opinion.version) == ({"ada": 1.0, "bob": 0.0}, 1)


async def test_a_label_that_moves_is_followed(serving: FakeServing, classifier: IdentityClassifier) -> None:
    """Until the next look the old version is asked, whose people are known."""
    await classifier.refresh()
    serving.versions[2] = ["bob", "cleo", "ada"]
    serving.labels["stable"] = 2
    before = await classifier.opinion(VECTOR)
    await classifier.refresh()
    after = await classifier.opinion(VECTOR)
    assert before is not None
    assert after is not None
    assert (before.version, before.best, after.version, after.best) == (1, "ada", 2, "bob")


async def test_a_label_that_moves_while_an_answer_is_on_its_way_mixes_nothing(
    serving: FakeServing, classifier: IdentityClassifier
) -> None:
    """The numbers are those of the version that was asked, and so are the names."""
    await classifier.refresh()
    serving.versions[2] = ["cleo", "dan"]
    serving.labels["stable"] = 2
    serving.while_asked = classifier.refresh
    opinion = await classifier.opinion(VECTOR)
    assert opinion is not None
    assert (opinion.version, opinion.best) == (1, "ada")


async def test_without_a_classifier_there_is_no_opinion_and_it_is_counted(
    serving: FakeServing, classifier: IdentityClassifier
) -> None:
    serving.labels = {}
    await classifier.refresh()
    before = without_opinion()
    assert await classifier.opinion(VECTOR) is None
    assert without_opinion() == before + 1
    assert classifier.problem is not None
    assert "labelled stable" in classifier.problem


async def test_a_version_that_vanishes_costs_an_opinion_and_no_more(
    serving: FakeServing, classifier: IdentityClassifier
) -> None:
    await classifier.refresh()
    serving.versions = {}
    assert await classifier.opinion(VECTOR) is None


async def test_a_classifier_of_another_embedder_is_refused(
    serving: FakeServing, classifier: IdentityClassifier
) -> None:
    """Its vectors would fit where the sizes are the same, and mean nothing."""
    serving.embedder = "face_embedder_other"
    await classifier.refresh()
    assert classifier.problem is not None
    assert "face_embedder_other" in classifier.problem
    assert await classifier.opinion(VECTOR) is None


async def test_a_recognizer_without_a_classifier_says_so_and_is_ready(
    serving: FakeServing, classifier: IdentityClassifier
) -> None:
    """Before the first training there is none: who waited for it to be ready would wait for ever."""
    serving.labels = {}
    service = Service("recognizer")
    service.health.started()
    following = asyncio.create_task(classifier.follow(service))
    async with asyncio.timeout(10):
        while not service.health.problems:
            await asyncio.sleep(0)
    assert service.health.is_ready
    assert "the gallery alone names people" in service.health.problems[0]
    service.stop.set()
    await following
