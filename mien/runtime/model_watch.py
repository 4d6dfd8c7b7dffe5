"""Whether a worker's model can answer, seen before the first face needs it."""

from mien.runtime.service import Service, wait_or_stop
from mien.runtime.serving import ServingClient

WATCH_SECONDS = 2.0


async def watch_model(service: Service, serving: ServingClient, model: str, *, meanwhile: str) -> None:
    """Report a problem for as long as the model server has no version of *model* that answers.

    Args:
        meanwhile: What people do without until then, in words.
    """
    while not service.stop.is_set():
        if await serving.is_available(model):
            service.health.resolve("model")
        else:
            service.health.report("model", f"the model server does not answer for {model}: {meanwhile}")
        await wait_or_stop(service.stop, WATCH_SECONDS)
