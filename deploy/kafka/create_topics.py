"""Creates the topics of ``topics.yml`` that a broker lacks: ``create_topics.py HOST:PORT PARTITIONS``."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

TOPICS_PATH = Path(__file__).with_name("topics.yml")


def read_topics(path: Path, camera_partitions: int) -> list[NewTopic]:
    """Read the table; ``partitions: cameras`` stands for *camera_partitions*."""
    table: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["topics"]
    return [
        NewTopic(
            name,
            camera_partitions if topic["partitions"] == "cameras" else topic["partitions"],
            topic["replication_factor"],
            topic_configs={key: str(value) for key, value in topic["configs"].items()},
        )
        for name, topic in table.items()
    ]


async def main(bootstrap_servers: str, camera_partitions: int) -> None:
    """Create what is missing; what is there is left as it is."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [
            topic for topic in read_topics(TOPICS_PATH, camera_partitions) if topic.name not in existing
        ]
        if missing:
            await admin.create_topics(missing)
        print(f"created: {', '.join(topic.name for topic in missing) or 'nothing, all are there'}")
    finally:
        await admin.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
