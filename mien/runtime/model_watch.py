"""Whether a worker's models can answer, seen before the first face needs them."""

from collections.abc import Sequence

from mien.runtime.service import Service, wait_or_stop
from mien.runtime.serving import ServingClient

WATCH_SECONDS = 2.0


async def watch_models(
    service: Service, serving: ServingClient, models: Sequence[str], *, meanwhile: str
) -> None:
    """Report a problem for as long as the model server has no version that answers of one of *models*.

    Args:
        meanwhile: What people do without until then, in words.
    """
    while not service.stop.is_set():
        missing = [model for model in models if not await serving.is_available(model)]
        if missing:
            names = " and ".join(missing)
            service.health.report("model", f"the model server does not answer for {names}: {meanwhile}")
        else:
            service.health.resolve("model")
        await wait_or_stop(service.stop, WATCH_SECONDS)
