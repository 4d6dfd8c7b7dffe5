"""What both readings work with."""

from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from mien.runtime.cameras import CameraDirectory
from mien.runtime.serving import ServingClient


@dataclass(frozen=True)
class Neighbours:
    """The services beside the emotion worker, and the cameras as the registry has them."""

    redis: Redis
    serving: ServingClient
    producer: AIOKafkaProducer
    cameras: CameraDirectory
