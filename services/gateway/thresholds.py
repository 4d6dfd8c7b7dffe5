"""The thresholds in force: calibrated on the gallery, told in what they mean, and reset."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from redis.asyncio import Redis

from mien.contracts.models import EMBEDDERS, FACE_EMBEDDER
from mien.contracts.recognition import Calibration, Rules, limits_of, rule_id
from mien.contracts.shared_state import Template
from mien.errors import TransientError
from mien.runtime.gallery import TemplateStore
from mien.runtime.rules import RuleStore
from services.gateway.calibration import (
    GalleryScores,
    false_accepts,
    false_rejects,
    fit_thresholds,
    score_gallery,
)
from services.gateway.pipeline import InvalidInputError
from services.gateway.recognition_schemas import CalibrationInfo, PersonThreshold
from services.gateway.who import WhoIsWho

_LEAST_BELOW_DEFAULT = 0.03
"""How far below the embedder's own a calibrated threshold may lie: a small gallery allows unwise ones."""


@dataclass(frozen=True)
class GalleryInUse:
    """The embedder and version that most of the templates in use were made with.

    Attributes:
        templates: All of them, those that are set aside included.
        accept_similarity: From where on a face is somebody.
    """

    embedder: str
    model_version: int
    templates: list[Template]
    accept_similarity: float

    def compared(self, rules: Rules) -> list[Template]:
        """Return the templates that name people: not those set aside, nor those of people switched off."""
        return [
            one for one in self.templates if not one.set_aside and one.person_id not in rules.inactive_people
        ]


class ThresholdDesk:
    """Calibrates and tells; recognizers follow within a second."""

    def __init__(self, redis: Redis, rules: RuleStore) -> None:
        self._templates = TemplateStore(redis)
        self._rules = rules
        self._scored: tuple[object, GalleryInUse, GalleryScores] | None = None

    async def tell(self, who: WhoIsWho) -> CalibrationInfo:
        """Return the thresholds in force and what they do on the gallery as it is now."""
        rules = await self._rules.refresh()
        in_use, scores = await self._score(rules)
        calibration = _calibration_of(rules, in_use.embedder, in_use.model_version)
        return _info(in_use, scores, calibration, who)

    async def gallery(self) -> GalleryInUse:
        """Return what recognizers compare faces with, as it is now."""
        return await self._in_use(await self._rules.refresh())

    async def calibrate(self, who: WhoIsWho, *, false_accept_rate: float) -> CalibrationInfo:
        """Fit the thresholds to the gallery and put them in force.

        Raises:
            InvalidInputError: Nobody is enrolled yet, or nothing is known of the embedder's strangers.
            TransientError: Somebody changed the rules at the same time.
        """
        rules = await self._rules.refresh()
        in_use, scores = await self._score(rules)
        limits = limits_of(in_use.embedder)
        if not scores.templates:
            raise InvalidInputError("nobody is enrolled yet: add people with photos first")
        if not limits.impostor_similarities:
            raise InvalidInputError(
                f"nothing is known of how much strangers resemble each other to {in_use.embedder}"
            )
        fit = fit_thresholds(
            scores,
            limits,
            false_accept_rate=false_accept_rate,
            least=EMBEDDERS[in_use.embedder].accept_similarity - _LEAST_BELOW_DEFAULT,
        )
        calibration = Calibration(
            embedder=in_use.embedder,
            model_version=in_use.model_version,
            false_accept_rate=false_accept_rate,
            accept_similarity=fit.accept_similarity,
            reject_similarity=round(fit.accept_similarity - limits.unclear_width, 4),
            calibrated_at_ns=time.time_ns(),
            person_thresholds=fit.person_thresholds,
            basis=fit.basis,
            people=scores.people,
            templates=scores.templates,
        )
        if not await self._rules.write([calibration], expected_generation=rules.generation):
            raise TransientError("somebody changed the rules at the same time: try again")
        await self._rules.refresh()
        return _info(in_use, scores, calibration, who)

    async def reset(self, who: WhoIsWho) -> CalibrationInfo:
        """Put the embedder's own thresholds in force again."""
        rules = await self._rules.refresh()
        await self._rules.write(delete=[rule_id(one) for one in rules.calibrations.values()])
        return await self.tell(who)

    async def _in_use(self, rules: Rules) -> GalleryInUse:
        best = _gallery(FACE_EMBEDDER.name, 1, [], rules)
        most = 0
        for embedder in EMBEDDERS:
            by_version: dict[int, list[Template]] = {}
            for template in await self._templates.load(embedder):
                by_version.setdefault(template.model_version, []).append(template)
            for version, templates in by_version.items():
                found = _gallery(embedder, version, templates, rules)
                if (count := len(found.compared(rules))) > most:
                    best, most = found, count
        return best

    async def _score(self, rules: Rules) -> tuple[GalleryInUse, GalleryScores]:
        """Compare everybody with everybody, again only where somebody has changed."""
        state = (rules.generation, [await self._templates.generation(embedder) for embedder in EMBEDDERS])
        if self._scored is None or self._scored[0] != state:
            in_use = await self._in_use(rules)
            self._scored = (state, in_use, await self._compare(in_use, rules))
        return self._scored[1:]

    async def _compare(self, in_use: GalleryInUse, rules: Rules) -> GalleryScores:
        model = (in_use.embedder, in_use.model_version)
        denied = [
            (denial.person_id, denial.vector.vector)
            for denial in rules.denials
            if denial.vector and (denial.vector.model, denial.vector.model_version) == model
        ]
        return await asyncio.to_thread(score_gallery, in_use.compared(rules), denied)


def _gallery(embedder: str, version: int, templates: list[Template], rules: Rules) -> GalleryInUse:
    calibration = _calibration_of(rules, embedder, version)
    accept = calibration.accept_similarity if calibration else EMBEDDERS[embedder].accept_similarity
    return GalleryInUse(embedder, version, templates, accept)


def _calibration_of(rules: Rules, embedder: str, model_version: int) -> Calibration | None:
    calibration = rules.calibrations.get(embedder)
    return calibration if calibration and calibration.model_version == model_version else None


def _info(
    in_use: GalleryInUse, scores: GalleryScores, calibration: Calibration | None, who: WhoIsWho
) -> CalibrationInfo:
    limits = limits_of(in_use.embedder)
    accept = calibration.accept_similarity if calibration else EMBEDDERS[in_use.embedder].accept_similarity
    accepted = false_accepts(scores, accept)
    thresholds = calibration.person_thresholds if calibration else {}
    return CalibrationInfo(
        embedder=in_use.embedder,
        accept_similarity=accept,
        reject_similarity=round(accept - limits.unclear_width, 4),
        calibrated_at=_time_of(calibration.calibrated_at_ns) if calibration else None,
        requested_false_accept_rate=calibration.false_accept_rate if calibration else None,
        false_accept_rate=accepted[0] if accepted else None,
        false_accept_rate_upper=accepted[1] if accepted else None,
        false_reject_rate=false_rejects(scores, accept),
        impostor_faces=len(scores.impostor),
        genuine_faces=len(scores.genuine),
        people=scores.people,
        templates=scores.templates,
        basis=calibration.basis if calibration else "default",
        stale=calibration is not None
        and (calibration.people, calibration.templates) != (scores.people, scores.templates),
        person_thresholds=[
            PersonThreshold(
                person_id=person_id, person_name=who.people.get(person_id), accept_similarity=threshold
            )
            for person_id, threshold in sorted(thresholds.items(), key=lambda item: -item[1])
        ],
    )


def _time_of(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns / 1e9, UTC)
