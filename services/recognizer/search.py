"""Which index a gallery is searched with: exact up to a size, beyond it one that is built beside the work."""

import asyncio
from collections.abc import Sequence
from typing import Final

import numpy as np
import structlog

from mien.contracts.shared_state import Template
from mien.vision.similarity import ApproximateIndex, ExactIndex, LayeredIndex, VectorIndex
from services.recognizer.gallery import stacked

log = structlog.get_logger()

EXACT_UP_TO: Final = 100_000
"""Templates that are searched exactly; `mien bench gallery` says what that takes."""
_REBUILT_AT_SHARE: Final = 0.05


class IndexKeeper:
    """Chooses the index for each state of a gallery, and builds a large one in a thread.

    Until it is built, and for what has come since, the search is exact: slower, never wrong.
    """

    def __init__(self, *, dimensions: int, exact_up_to: int = EXACT_UP_TO) -> None:
        self._dimensions = dimensions
        self._exact_up_to = exact_up_to
        self._base: tuple[list[Template], VectorIndex] | None = None
        self._building: asyncio.Task[tuple[list[Template], VectorIndex]] | None = None
        self._wanted: list[Template] | None = None

    @property
    def has_news(self) -> bool:
        """Whether an index was finished that no gallery uses yet."""
        return self._building is not None and self._building.done()

    def take_news(self) -> None:
        """Let the index that was finished serve from now on, and begin the next one if one is wanted."""
        if self._building is not None and self._building.done():
            self._base, self._building = self._building.result(), None
            self._wanted = None
        if self._wanted is not None and self._building is None:
            log.info("gallery.index_building", templates=len(self._wanted))
            self._building = asyncio.create_task(asyncio.to_thread(self._built, self._wanted))
            self._wanted = None

    def index_for(self, templates: Sequence[Template]) -> VectorIndex:
        """Return an index over these templates, in this order; blocks, so call it in a thread."""
        if len(templates) <= self._exact_up_to:
            self._base = None
            return ExactIndex(stacked(templates, self._dimensions))
        if self._base is None:
            self._wanted = list(templates)
            return ExactIndex(stacked(templates, self._dimensions))
        return self._layered(templates, *self._base)

    def _layered(
        self, templates: Sequence[Template], built_from: Sequence[Template], base: VectorIndex
    ) -> VectorIndex:
        base_row = {one.template_id: row for row, one in enumerate(built_from)}
        row_of_base = np.full(len(built_from), -1, dtype=np.int64)
        added: list[int] = []
        for row, template in enumerate(templates):
            known = base_row.get(template.template_id)
            if known is not None and built_from[known].vector == template.vector:
                row_of_base[known] = row
            else:
                added.append(row)
        stale = len(added) + int((row_of_base < 0).sum())
        if stale > _REBUILT_AT_SHARE * len(templates):
            self._wanted = list(templates)
        extra = ExactIndex(stacked([templates[row] for row in added], self._dimensions))
        return LayeredIndex(base, row_of_base, extra, np.array(added, dtype=np.int64))

    def _built(self, templates: list[Template]) -> tuple[list[Template], VectorIndex]:
        index = ApproximateIndex(stacked(templates, self._dimensions))
        log.info("gallery.index_built", templates=len(templates))
        return templates, index
