"""Stand-ins that behave like the real thing as far as a unit test can tell."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition


@dataclass
class FakeRecord:
    """A record as a consumer hands it over."""

    value: bytes | None
    offset: int
    topic: str = "mien.identity-faces.v1"
    partition: int = 0
    timestamp: int = 1_790_000_000_000


@dataclass
class FakeProducer:
    """Remembers what was sent; fails as often as it is told to."""

    failures: list[Exception] = field(default_factory=list)
    sent: dict[str, list[tuple[int, bytes]]] = field(default_factory=lambda: defaultdict(list))

    async def send_and_wait(self, topic: str, value: bytes, *, key: bytes | None, partition: int) -> None:
        """Take one message, or fail."""
        if self.failures:
            raise self.failures.pop(0)
        self.sent[topic].append((partition, value))


@dataclass
class FakeConsumer:
    """Remembers what was committed and where it was told to go back to."""

    committed: dict[TopicPartition, int] = field(default_factory=dict)
    sought: dict[TopicPartition, int] = field(default_factory=dict)
    commit_errors: list[Exception] = field(default_factory=list)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Note offsets, or fail."""
        if self.commit_errors:
            raise self.commit_errors.pop(0)
        self.committed.update(offsets)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Note where reading goes on."""
        self.sought[partition] = offset


@dataclass
class FakeRedis:
    """The few commands that workers use for their state."""

    values: dict[str, bytes] = field(default_factory=dict)
    hashes: dict[str, dict[str, bytes]] = field(default_factory=lambda: defaultdict(dict))
    error: Exception | None = None

    async def get(self, key: str) -> bytes | None:
        """Return a value."""
        self._maybe_fail()
        return self.values.get(key)

    async def set(self, key: str, value: bytes, ex: int | None = None) -> None:
        """Keep a value."""
        self._maybe_fail()
        self.values[key] = value

    async def mget(self, keys: Iterable[str]) -> list[bytes | None]:
        """Return several values."""
        self._maybe_fail()
        return [self.values.get(key) for key in keys]

    async def hgetall(self, key: str) -> dict[bytes, bytes]:
        """Return a hash."""
        self._maybe_fail()
        return {name.encode(): value for name, value in self.hashes[key].items()}

    def pipeline(self, *, transaction: bool = True) -> "FakeRedis":
        """Return itself: commands take effect at once."""
        return self

    async def __aenter__(self) -> "FakeRedis":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def hset(self, key: str, name: str, value: bytes) -> None:
        """Set a field of a hash."""
        self.hashes[key][name] = value

    def sadd(self, key: str, *names: str) -> None:
        """Add to a set."""
        self.hashes[key].update((name, b"") for name in names)

    def incr(self, key: str) -> None:
        """Count one up."""
        self.values[key] = b"%d" % (int(self.values.get(key, b"0")) + 1)

    async def execute(self) -> list[Any]:
        """Do nothing more."""
        self._maybe_fail()
        return []

    def _maybe_fail(self) -> None:
        if self.error is not None:
            raise self.error
