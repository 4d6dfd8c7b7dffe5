"""The model server as a process: versions that come and go, batches, overload, deadlines, the end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from mien.errors import TransientError
from mien.runtime.serving import Prediction, ServingClient
from tests.integration.serving.servers import run_model_server
from tests.unit.model_server.tiny_models import write_scaler, write_slow

IMAGES = np.array([[0, 1, 2, 3]], np.uint8)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    write_scaler(folder / "scaler" / "1", factor=2.0)
    write_slow(folder / "slow" / "1")
    return folder


async def slow(client: ServingClient, value: int = 1, *, timeout_seconds: float = 30) -> Prediction:
    images = np.full((1, 4), value, np.uint8)
    return await client.predict("slow", {"images": images}, timeout_seconds=timeout_seconds)


async def until(condition: Callable[[], Awaitable[bool]], *, within_seconds: float = 20) -> None:
    async with asyncio.timeout(within_seconds):
        while not await condition():
            await asyncio.sleep(0.05)


async def answered_versions(client: ServingClient) -> AsyncIterator[int]:
    while True:
        yield (await client.predict("scaler", {"images": IMAGES}, timeout_seconds=5)).version


async def test_a_new_version_takes_over_without_a_gap(repo: Path, tmp_path: Path) -> None:
    """While version 2 appears and takes over, every request is answered; then version 1 leaves."""
    with run_model_server(repo, tmp_path / "log") as server:
        async with ServingClient(server.address) as client:
            write_scaler(repo / "scaler" / "2", factor=3.0)
            versions = []
            async with asyncio.timeout(20):
                async for version in answered_versions(client):
                    versions.append(version)
                    if version == 2:
                        break
            assert set(versions) <= {1, 2}

            async def first_has_left() -> bool:
                return await client.model_status("scaler") == {1: "END", 2: "AVAILABLE"}

            await until(first_has_left)


async def test_a_broken_version_leaves_the_old_one_serving(repo: Path, tmp_path: Path) -> None:
    """A corrupt model is shown as END, requests go on, and the repaired files are loaded."""
    with run_model_server(repo, tmp_path / "log") as server:
        async with ServingClient(server.address) as client:
            broken = repo / "scaler" / "2"
            broken.mkdir()
            (broken / "saved_model.pb").write_bytes(b"\xff" * 100)

            async def is_refused() -> bool:
                return (await client.model_status("scaler")).get(2) == "END"

            await until(is_refused)
            prediction = await client.predict("scaler", {"images": IMAGES}, timeout_seconds=5)
            assert prediction.version == 1

            write_scaler(tmp_path / "repaired", factor=3.0)
            (tmp_path / "repaired" / "saved_model.pb").rename(broken / "saved_model.pb")

            async def is_repaired() -> bool:
                return (await client.model_status("scaler")).get(2) == "AVAILABLE"

            await until(is_repaired)


async def test_requests_that_wait_share_an_execution(repo: Path, tmp_path: Path) -> None:
    """Sixteen concurrent requests take far fewer executions, and each gets its own row."""
    with run_model_server(repo, tmp_path / "log") as server:
        async with ServingClient(server.address) as client:
            predictions = await asyncio.gather(*(slow(client, value) for value in range(16)))
            for value, prediction in enumerate(predictions):
                np.testing.assert_allclose(prediction.outputs["scaled"], np.full((1, 4), value), rtol=1e-3)
        assert server.metric('mien_model_batch_size_sum{model="slow"}') == 16
        assert server.metric('mien_model_batch_size_count{model="slow"}') <= 8


async def test_a_full_queue_refuses_and_recovers(repo: Path, tmp_path: Path) -> None:
    """More than may wait is refused and counted; the others are answered, and so is who comes later."""
    settings = {"MAX_BATCH_SIZE": 2, "MAX_QUEUED_EXAMPLES": 2}
    with run_model_server(repo, tmp_path / "log", **settings) as server:
        async with ServingClient(server.address) as client:
            answers = await asyncio.gather(*(slow(client) for _ in range(12)), return_exceptions=True)
            refused = [answer for answer in answers if isinstance(answer, TransientError)]
            answered = [answer for answer in answers if isinstance(answer, Prediction)]
            assert len(refused) + len(answered) == 12
            assert len(refused) >= 6
            assert len(answered) >= 2
            assert all("RESOURCE_EXHAUSTED" in str(error) for error in refused)
            refusals = server.metric('mien_dropped_total{reason="queue_full",stage="model_server"}')
            assert refusals == len(refused)
            assert (await slow(client)).version == 1


async def test_expired_requests_are_not_executed(repo: Path, tmp_path: Path) -> None:
    """Requests whose deadline passes behind a long execution never reach the engine."""
    with run_model_server(repo, tmp_path / "log", MAX_BATCH_SIZE=1) as server:
        async with ServingClient(server.address) as client:
            patient = [slow(client) for _ in range(3)]
            hasty = [slow(client, timeout_seconds=0.03) for _ in range(8)]
            answers = await asyncio.gather(*patient, *hasty, return_exceptions=True)
            assert all(isinstance(answer, Prediction) for answer in answers[:3])
            assert sum(isinstance(answer, TransientError) for answer in answers[3:]) >= 7
            # Nothing else is in the queue: what comes now is executed next.
            await slow(client)
        assert server.metric('mien_model_batch_size_sum{model="slow"}') <= 5


async def test_sigterm_answers_what_is_in_hand(repo: Path, tmp_path: Path) -> None:
    """Requests that were accepted are answered after SIGTERM; then the process ends with 0."""
    with run_model_server(repo, tmp_path / "log", MAX_BATCH_SIZE=1) as server:
        async with ServingClient(server.address) as client:
            calls = [asyncio.create_task(slow(client)) for _ in range(6)]
            await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            server.process.terminate()
            predictions = await asyncio.gather(*calls)
            assert len(predictions) == 6
            assert await asyncio.to_thread(server.process.wait, 15) == 0
            with pytest.raises(TransientError, match="UNAVAILABLE"):
                await slow(client, timeout_seconds=0.5)


async def test_tensorflow_servings_configuration_is_followed(repo: Path, tmp_path: Path) -> None:
    """With a `models.config`, only its models, versions and labels are served."""
    write_scaler(repo / "scaler" / "2", factor=3.0)
    config = tmp_path / "models.config"
    config.write_text(
        """
        model_config_list { config {
          name: "scaler" base_path: "/models/scaler" model_platform: "tensorflow"
          model_version_policy { specific { versions: 1 } }
          version_labels { key: "stable" value: 1 }
        } }
        """
    )
    with run_model_server(repo, tmp_path / "log", MODELS_CONFIG=config) as server:
        async with ServingClient(server.address) as client:
            assert await client.model_status("scaler") == {1: "AVAILABLE"}
            prediction = await client.predict(
                "scaler", {"images": IMAGES}, version_label="stable", timeout_seconds=5
            )
            assert prediction.version == 1
            assert not await client.is_available("slow")
