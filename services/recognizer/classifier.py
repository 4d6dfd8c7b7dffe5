"""The identity classifier behind the model server, asked for its opinion on vectors."""

from typing import Final

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from mien.contracts.models import (
    CLASSES_JSON,
    EMBEDDINGS,
    IDENTITY_CLASSIFIER,
    PROBABILITIES,
    Embedder,
    IdentityClasses,
)
from mien.errors import PermanentError, TransientError
from mien.runtime import metrics
from mien.runtime.service import Service, wait_or_stop
from mien.runtime.serving import ServingClient
from services.recognizer.classification import Opinion

log = structlog.get_logger()

POLL_SECONDS: Final = 2.0
_NOT_ASKED: Final = "the identity classifier was not asked for yet"


class IdentityClassifier:
    """Follows a label of the classifier on the model server.

    It never stands in the way: where it can't be asked there is no opinion, which is counted
    (``mien_dropped_total{stage="recognizer", reason="no_opinion"}``) and shown as a problem.

    Args:
        spec: The embedder whose vectors will be asked about, with *embedder_version*.
        label: Such as ``stable`` or ``canary``.
    """

    def __init__(
        self,
        serving: ServingClient,
        spec: Embedder,
        *,
        embedder_version: int,
        label: str,
        timeout_seconds: float,
    ) -> None:
        self._serving = serving
        self._spec = spec
        self._embedder_version = embedder_version
        self._label = label
        self._timeout_seconds = timeout_seconds
        self._version = 0
        self._classes: IdentityClasses | None = None
        self.problem: str | None = _NOT_ASKED

    async def follow(self, service: Service) -> None:
        """Look every two seconds which version has the label, until the service stops."""
        while not service.stop.is_set():
            await self.refresh()
            if self.problem is None:
                service.health.resolve("classifier")
            else:
                service.health.fall_short("classifier", f"{self.problem}: the gallery alone names people")
            await wait_or_stop(service.stop, POLL_SECONDS)

    async def refresh(self) -> None:
        """Learn which version has the label, and whom it knows."""
        try:
            prediction = await self._serving.predict(
                IDENTITY_CLASSIFIER,
                {EMBEDDINGS: np.zeros((1, self._spec.dimensions), np.float32)},
                version_label=self._label,
                output_names=[CLASSES_JSON],
                timeout_seconds=self._timeout_seconds,
            )
            if self._classes is None or prediction.version != self._version:
                text = prediction.outputs[CLASSES_JSON][0].tobytes()
                self._take(msgspec.json.decode(text, type=IdentityClasses), prediction.version)
        except (TransientError, PermanentError, msgspec.MsgspecError) as error:
            if self._classes is not None or self.problem == _NOT_ASKED:
                log.warning("classifier.away", label=self._label, error=str(error))
            self._classes = None
            self.problem = f"no {IDENTITY_CLASSIFIER} labelled {self._label} answers"

    async def opinion(self, vector: NDArray[np.float32]) -> Opinion | None:
        """Return what is said of a unit vector, shape (dimensions,); None if nobody can be asked."""
        # The label may move while the answer is on its way: names and numbers must be of one version.
        classes, version = self._classes, self._version
        if classes is None:
            metrics.DROPPED.labels("recognizer", "no_opinion").inc()
            return None
        try:
            prediction = await self._serving.predict(
                IDENTITY_CLASSIFIER,
                {EMBEDDINGS: vector[np.newaxis]},
                version=version,
                output_names=[PROBABILITIES],
                timeout_seconds=self._timeout_seconds,
            )
        except (TransientError, PermanentError) as error:
            metrics.DROPPED.labels("recognizer", "no_opinion").inc()
            log.warning("classifier.no_opinion", error=str(error))
            return None
        probabilities = prediction.outputs[PROBABILITIES][0].tolist()
        return Opinion(
            dict(zip(classes.person_ids, probabilities, strict=True)),
            classes.accept_probability,
            version,
        )

    def _take(self, classes: IdentityClasses, version: int) -> None:
        self._version = version
        wanted = (self._spec.name, self._embedder_version)
        if (classes.embedder, classes.embedder_version) != wanted:
            self._classes = None
            self.problem = (
                f"{IDENTITY_CLASSIFIER} version {version} takes vectors of {classes.embedder} version "
                f"{classes.embedder_version}, not of {wanted[0]} version {wanted[1]}"
            )
            return
        self._classes, self.problem = classes, None
        log.info("classifier.loaded", version=version, people=len(classes.person_ids))
