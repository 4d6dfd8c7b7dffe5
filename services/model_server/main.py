"""The model server's wiring: repository, loaded models, gRPC."""

import grpc
import structlog

from mien.runtime.service import Service, run_service, wait_or_stop
from mien.runtime.settings import settings_from_command_line
from services.model_server.config import ModelServerSettings
from services.model_server.grpc_service import ServingApi
from services.model_server.served_models import ServedModels

log = structlog.get_logger()


def main() -> None:
    """Serve models until told to stop."""
    settings = settings_from_command_line(
        ModelServerSettings, "Mien model server: TensorFlow Serving's API over OpenVINO."
    )

    async def work(service: Service) -> None:
        models = ServedModels(settings)
        # As tensorflow/serving does, no port before the first look: early callers see UNAVAILABLE, which they
        # retry, instead of NOT_FOUND.
        await models.refresh()
        server = _open_server(settings, models)
        await server.start()
        _report(service, models)
        service.health.started()
        while not await wait_or_stop(service.stop, settings.poll_seconds):
            await models.refresh()
            _report(service, models)
        await server.stop(grace=settings.drain_timeout_seconds)
        await models.close()

    run_service("model-server", settings, work)


def _open_server(settings: ModelServerSettings, models: ServedModels) -> grpc.aio.Server:
    server = grpc.aio.server(
        options=[
            ("grpc.max_send_message_length", settings.max_message_bytes),
            ("grpc.max_receive_message_length", settings.max_message_bytes),
            ("grpc.so_reuseport", 0),  # a second server on the port must fail, not take half of the calls
        ]
    )
    api = ServingApi(models, max_batch_size=settings.max_batch_size)
    server.add_generic_rpc_handlers(tuple(api.handlers()))
    port = server.add_insecure_port(f"{settings.host}:{settings.port}")
    log.info("model_server.listening", host=settings.host, port=port)
    return server


def _report(service: Service, models: ServedModels) -> None:
    problems = models.problems()
    for name, problem in problems.items():
        service.health.report(f"model:{name}", f"{name}: {problem}")
    for name in models.names() - problems.keys():
        service.health.resolve(f"model:{name}")
    if models.names():
        service.health.resolve("repository")
    else:
        service.health.report("repository", "the model repository holds no model")
