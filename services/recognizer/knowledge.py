"""What a recognizer knows of people: templates, strangers and rules, kept in step with Redis."""

import asyncio
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from mien.contracts.recognition import Calibration, Rules
from mien.contracts.shared_state import Template
from mien.runtime import metrics
from mien.runtime.gallery import TemplateStore
from mien.runtime.rules import RuleStore
from mien.runtime.strangers import StrangerStore
from services.recognizer.clustering import StrangerIndex
from services.recognizer.config import RecognizerSettings
from services.recognizer.gallery import Gallery, comparable
from services.recognizer.pipeline import Thresholds
from services.recognizer.search import IndexKeeper

log = structlog.get_logger()


@dataclass
class _Generations:
    templates: int = -1
    rules: int = -1
    strangers: int = -1


class Knowledge:
    """Everything that shots are compared with; each part is read again only where it has changed.

    Attributes:
        gallery: Enrolled people, by what the rules say of them.
        strangers: Visits of people nobody knows.
        thresholds: The operator's, else those calibrated on the gallery, else the embedder's.
    """

    def __init__(self, settings: RecognizerSettings, redis: Redis) -> None:
        self._settings = settings
        self._spec = settings.embedder_spec
        self._templates = TemplateStore(redis)
        self._rules = RuleStore(redis)
        self._strangers = StrangerStore(redis, self._spec.name)
        self._by_id: dict[str, Template] = {}
        self._generations = _Generations()
        self._grouped_by = -1
        self._indexes = IndexKeeper(dimensions=self._spec.dimensions)
        self._refreshing = asyncio.Lock()
        self.gallery = Gallery([], dimensions=self._spec.dimensions, generation=-1)
        self.thresholds = self._thresholds_under(None)
        self.strangers = self._no_strangers()

    @property
    def rules(self) -> Rules:
        """The rules as last read."""
        return self._rules.known

    @property
    def rule_store(self) -> RuleStore:
        """Where rules are laid down."""
        return self._rules

    @property
    def stranger_store(self) -> StrangerStore:
        """Where visits are written."""
        return self._strangers

    @property
    def strangers_generation(self) -> int:
        """State of the visits as last read."""
        return self._generations.strangers

    async def refresh(self) -> None:
        """Read what has changed."""
        async with self._refreshing:
            await self._rules.refresh()
            await self._refresh_gallery()
            await self._refresh_strangers()
            self._generations.rules = self.rules.generation

    async def refresh_strangers(self) -> None:
        """Read what has changed of strangers and rules, but no templates."""
        async with self._refreshing:
            await self._rules.refresh()
            await self._refresh_strangers()

    async def _refresh_gallery(self) -> None:
        changes = await self._templates.read(self._spec.name, self._generations.templates)
        seen = (changes.generation, self.rules.generation)
        if seen == (self._generations.templates, self._generations.rules) and not self._indexes.has_news:
            return
        if changes.is_complete:
            self._by_id = {}
        for template_id, template in changes.templates.items():
            self._by_id.pop(template_id, None)
            if template is not None and template.model_version == self._settings.embedder_version:
                self._by_id[template_id] = template
        self._generations.templates = changes.generation
        self.thresholds = self._thresholds_under(self.rules.calibrations.get(self._spec.name))
        self._indexes.take_news()
        templates = comparable(list(self._by_id.values()), dimensions=self._spec.dimensions)
        self.gallery = await asyncio.to_thread(self._gallery_of, templates)
        self._indexes.take_news()
        unusable = sum(not one.set_aside for one in self._by_id.values()) - len(templates)
        metrics.GALLERY_TEMPLATES.set(len(self.gallery))
        log.info(
            "gallery.loaded",
            templates=len(self.gallery),
            changed=len(changes.templates),
            ignored=unusable,
            generation=self.gallery.generation,
        )

    def _gallery_of(self, templates: list[Template]) -> Gallery:
        model = (self._spec.name, self._settings.embedder_version)
        return Gallery(
            templates,
            index=self._indexes.index_for(templates),
            dimensions=self._spec.dimensions,
            # Both only grow, and so does their sum.
            generation=self._generations.templates + self.rules.generation,
            denials=[
                denial
                for denial in self.rules.denials
                if denial.vector and (denial.vector.model, denial.vector.model_version) == model
            ],
            inactive_people=self.rules.inactive_people,
        )

    def _thresholds_under(self, calibration: Calibration | None) -> Thresholds:
        if calibration is not None and calibration.model_version != self._settings.embedder_version:
            calibration = None
        return Thresholds.for_embedder(
            self._spec,
            accept_similarity=self._settings.accept_similarity,
            min_quality=self._settings.min_quality,
            calibration=calibration,
        )

    async def _refresh_strangers(self) -> None:
        changes = await self._strangers.read(self._generations.strangers)
        if changes.is_complete:
            self.strangers = self._no_strangers()
        if changes.is_complete or self._grouped_by != self.rules.generation:
            self.strangers.regroup(self.rules)
            self._grouped_by = self.rules.generation
        for member_id, member in changes.members.items():
            if member is None:
                self.strangers.remove(member_id)
            else:
                self.strangers.put(member)
        self._generations.strangers = changes.generation
        metrics.STRANGERS.set(len(self.strangers))

    def _no_strangers(self) -> StrangerIndex:
        return StrangerIndex(dimensions=self._spec.dimensions, model_version=self._settings.embedder_version)
