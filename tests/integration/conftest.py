"""One broker and one Redis for all integration tests; each test takes names of its own on them."""

from collections.abc import Iterator

import pytest

from tests.stack import provide_kafka, provide_redis


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real Kafka broker."""
    with provide_kafka(tmp_path_factory.mktemp("kafka")) as address:
        yield address


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real Redis."""
    with provide_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url
