"""One kind of service between a real Kafka and a real Redis, with the settings of ``mien up``."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from pydantic import SecretStr

from mien.bench.scrape import Samples, scrape_port
from mien.local.home import Home
from mien.local.kafka import kafka_process, prepare_storage
from mien.local.redis_server import redis_process
from mien.local.stack import StackOptions, service_environment, service_process, stack_ports, worker_names
from mien.local.supervisor import StartError, Supervisor
from mien.runtime.bus import create_topics
from mien.runtime.settings import KafkaSettings, RedisSettings


@dataclass(frozen=True)
class LoneService:
    """The processes of a service under load, and its neighbours.

    Attributes:
        pids, health_ports: Of each replica.
    """

    kafka: KafkaSettings
    redis: RedisSettings
    pids: Sequence[int]
    health_ports: Sequence[int]

    def cpu_seconds(self) -> float:
        """Return the processor time that all replicas have used."""
        times = [psutil.Process(pid).cpu_times() for pid in self.pids]
        return sum(one.user + one.system for one in times)

    def rss_mb(self) -> float:
        """Return the memory of all replicas."""
        return sum(psutil.Process(pid).memory_info().rss for pid in self.pids) / 1e6

    def metrics(self) -> list[Samples]:
        """Return what each replica counts."""
        return [scrape_port(port) for port in self.health_ports]


@asynccontextmanager
async def running_alone(folder: Path, service: str, *, replicas: int = 1) -> AsyncIterator[LoneService]:
    """Run Kafka, Redis and replicas of a service until the context ends.

    Raises:
        StartError: One of them did not become ready: see the service's log in the folder.
        KafkaUnavailableError: Java or Kafka's jars are missing.
        RedisUnavailableError: No Redis program was found.
    """
    home = Home.locate(folder)
    home.create()
    options = StackOptions(home=home, workers={service: replicas})
    ports = stack_ports(options)
    names = [name for name in worker_names(options) if name.startswith(service)]
    await asyncio.to_thread(
        prepare_storage, folder / "kafka", port=ports["kafka"], controller_port=ports["controller"]
    )
    environment = service_environment(options, ports)
    kafka = KafkaSettings(bootstrap_servers=environment["MIEN_KAFKA_BOOTSTRAP_SERVERS"])
    redis = RedisSettings(url=SecretStr(environment["MIEN_REDIS_URL"]))
    with (folder / f"{service}.log").open("w") as log:
        supervisor = Supervisor(lambda name, line: print(f"{name}: {line}", file=log, flush=True))
        try:
            redis_spec = redis_process(folder / "redis", port=ports["redis"])
            await supervisor.start([kafka_process(folder / "kafka", port=ports["kafka"]), redis_spec])
            await create_topics(kafka)
            await supervisor.start([service_process(name, environment, ports) for name in names])
            pids = [process.pid for process in supervisor.processes[-replicas:] if process.pid is not None]
            if len(pids) < replicas:
                raise StartError(f"a replica of {service} ended as soon as it was ready")
            yield LoneService(kafka, redis, pids, [ports[f"{name} health"] for name in names])
        finally:
            await supervisor.stop()
