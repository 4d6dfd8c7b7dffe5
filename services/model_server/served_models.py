"""The versions of each model that are loaded, and how they follow the repository."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import grpc
import structlog

from services.model_server.batching import BatchLimits, BatchQueue
from services.model_server.config import ModelServerSettings
from services.model_server.pipeline import Arrays, RefusedError, Signature
from services.model_server.repository import Fingerprint, WantedModel, fingerprint, read_wanted_models
from services.model_server.servable import ModelLoadError, Servable, load_servable

log = structlog.get_logger()

VersionState = Literal["LOADING", "AVAILABLE", "UNLOADING", "END"]


class LoadedVersion:
    """A version that answers: a thread of its own, and a queue before each signature."""

    def __init__(self, model_name: str, version: int, servable: Servable, limits: BatchLimits) -> None:
        self.version = version
        self.servable = servable
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"{model_name}-{version}")
        self._queues = {
            name: BatchQueue(
                model_name,
                partial(servable.run, name),
                self._executor,
                limits,
                joins_requests=signature.is_batched,
            )
            for name, signature in servable.signatures.items()
        }

    async def run(self, signature: Signature, inputs: Arrays, examples: int) -> Arrays:
        """Queue a checked request and return all of its outputs."""
        return await self._queues[signature.name].submit(inputs, examples)

    async def close(self) -> None:
        """Answer what waits, then give the thread back."""
        for queue in self._queues.values():
            await queue.close()
        self._executor.shutdown(wait=False)


@dataclass
class VersionRecord:
    """What became of a version since the server started."""

    state: VersionState
    error: str = ""
    seen: Fingerprint | None = None
    loaded: LoadedVersion | None = None


@dataclass
class _Model:
    labels: Mapping[str, int] = field(default_factory=dict)
    records: dict[int, VersionRecord] = field(default_factory=dict)
    # Files of versions not loaded yet, as the last look found them: unchanged since means complete.
    seen: dict[Path, Fingerprint] = field(default_factory=dict)

    def available(self) -> list[int]:
        return sorted(version for version, record in self.records.items() if record.loaded)


class ServedModels:
    """All models of the repository.

    A new version is loaded once its files rest, takes over when it answers, and only then the old one is
    unloaded. One that can't be loaded is shown with its error and tried again when its files change; the old
    one stays, and so do the labels on it.
    """

    def __init__(self, settings: ModelServerSettings) -> None:
        self._settings = settings
        self._models: dict[str, _Model] = {}
        self._is_first_look = True

    def find(self, model_name: str, *, version: int | None = None, label: str = "") -> LoadedVersion:
        """Version that answers a request: the given one, the labelled one, else the latest.

        Raises:
            RefusedError: NOT_FOUND, or INVALID_ARGUMENT for an unknown label.
        """
        model = self._models.get(model_name, _Model())
        if label:
            if label not in model.labels:
                raise RefusedError(
                    grpc.StatusCode.INVALID_ARGUMENT, f"Unrecognized servable version label: {label}"
                )
            version = model.labels[label]
        available = model.available()
        if version is None and available:
            version = available[-1]
        if version is None or version not in available:
            asked = f"Latest({model_name})" if version is None else f"Specific({model_name}, {version})"
            raise RefusedError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {asked}")
        loaded = model.records[version].loaded
        assert loaded is not None
        return loaded

    def records(self, model_name: str) -> Mapping[int, VersionRecord]:
        """Every version of a model known since the start; empty for an unknown model."""
        model = self._models.get(model_name)
        return dict(sorted(model.records.items())) if model else {}

    def names(self) -> set[str]:
        """Models known since the start."""
        return set(self._models)

    def problems(self) -> dict[str, str]:
        """Models that can't answer, and why."""
        return {
            name: "; ".join(record.error for record in model.records.values() if record.error) or "not loaded"
            for name, model in self._models.items()
            if not model.available()
        }

    async def refresh(self) -> None:
        """Look at the repository once and follow it.

        Raises:
            OSError: at the first look: there is no repository.
            ValueError: at the first look: the configuration can't be understood.
        """
        settings = self._settings
        try:
            wanted = await asyncio.to_thread(read_wanted_models, settings.model_repo, settings.models_config)
        except (OSError, ValueError) as error:
            if self._is_first_look:
                raise
            log.error("repository.refused", error=str(error))
            return
        for model in wanted.values():
            await self._follow(model)
        if settings.models_config is not None:  # taken off the list, not lost from the disk
            for name in self._models.keys() - wanted.keys():
                await self._unload(name, self._models[name], self._models[name].available())
        self._is_first_look = False

    async def close(self) -> None:
        """Unload everything, after answering what waits."""
        for name, model in self._models.items():
            await self._unload(name, model, model.available())

    async def _follow(self, wanted: WantedModel) -> None:
        model = self._models.setdefault(wanted.name, _Model())
        for version, folder in wanted.versions.items():
            if await self._should_load(model, version, folder):
                await self._load(wanted.name, model, version, folder)
        available = model.available()
        model.labels = {
            label: version if version in available else model.labels.get(label, version)
            for label, version in wanted.labels.items()
        }
        if wanted.versions.keys() & set(available):
            await self._unload(wanted.name, model, [v for v in available if v not in wanted.versions])

    async def _should_load(self, model: _Model, version: int, folder: Path) -> bool:
        record = model.records.get(version)
        if record and record.loaded:
            return False
        files = await asyncio.to_thread(fingerprint, folder)
        if files is None or (record and record.state == "END" and record.error and record.seen == files):
            return False
        rests = self._is_first_look or model.seen.get(folder) == files
        model.seen[folder] = files
        return rests

    async def _load(self, name: str, model: _Model, version: int, folder: Path) -> None:
        record = model.records[version] = VersionRecord("LOADING", seen=model.seen.pop(folder))
        try:
            servable = await asyncio.to_thread(
                load_servable,
                folder,
                inference_threads=self._settings.inference_threads,
                precision=self._settings.precision,
                cache_dir=self._settings.cache_dir,
            )
        except ModelLoadError as error:
            record.state, record.error = "END", str(error)
            log.error("model.load_failed", model=name, version=version, error=str(error))
            return
        limits = BatchLimits(
            max_batch_size=self._settings.max_batch_size,
            timeout_seconds=self._settings.batch_timeout_micros / 1e6,
            max_queued_examples=self._settings.max_queued_examples,
        )
        record.loaded = LoadedVersion(name, version, servable, limits)
        record.state = "AVAILABLE"
        log.info("model.loaded", model=name, version=version, signatures=sorted(servable.signatures))

    async def _unload(self, name: str, model: _Model, versions: list[int]) -> None:
        for version in versions:
            record = model.records[version]
            loaded, record.loaded, record.state = record.loaded, None, "UNLOADING"
            if loaded is not None:
                await loaded.close()
            record.state = "END"
            log.info("model.unloaded", model=name, version=version)
