"""What people have said about who is who, in Redis: written by the gateway, followed by all."""

from collections.abc import Callable, Iterable

from redis.asyncio import Redis

from mien.contracts.recognition import RULES_KEY, Rule, Rules, decode_rule, encode_record, rule_id
from mien.runtime.replicated_hash import ReplicatedHash


class RuleStore:
    """All rules, and those last read in memory."""

    def __init__(self, redis: Redis) -> None:
        self._hash = ReplicatedHash(redis, RULES_KEY)
        self._by_id: dict[str, Rule] = {}
        self._rules = Rules()

    @property
    def known(self) -> Rules:
        """The rules as last read; never waits."""
        return self._rules

    async def refresh(self) -> Rules:
        """Return the rules as they are now; costs one small request when nothing has changed."""
        changes = await self._hash.read(self._rules.generation)
        if changes.generation == self._rules.generation:
            return self._rules
        if changes.is_complete:
            self._by_id = {}
        for name, value in changes.values.items():
            if value is None:
                self._by_id.pop(name, None)
            else:
                self._by_id[name] = decode_rule(value)
        self._rules = Rules.of(self._by_id.values(), generation=changes.generation)
        return self._rules

    def ids(self, matches: Callable[[Rule], bool]) -> list[str]:
        """Return the ids of the rules as last read that match."""
        return [id_ for id_, rule in self._by_id.items() if matches(rule)]

    async def write(
        self,
        put: Iterable[Rule] = (),
        delete: Iterable[str] = (),
        *,
        expected_generation: int | None = None,
    ) -> bool:
        """Lay down and withdraw rules in one step; see :meth:`ReplicatedHash.write`."""
        encoded = {rule_id(rule): encode_record(rule) for rule in put}
        return await self._hash.write(encoded, list(delete), expected_generation=expected_generation)
