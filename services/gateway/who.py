"""Who is called what now: people, strangers, and what was said to be wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mien.contracts.recognition import Rules


@dataclass(frozen=True)
class StrangerRow:
    """What the database knows of a stranger."""

    stranger_id: str
    number: int
    person_id: str | None = None
    ignored: bool = False


@dataclass(frozen=True)
class StrangerName:
    """What a stranger counts as now, joined with others or not.

    Attributes:
        root_id: The stranger that all who were joined with this one count as.
        person_id: Who it turned out to be.
        ignored: Whether visits are left out of history and alerts.
    """

    root_id: str
    label: str
    person_id: str | None = None
    ignored: bool = False


@dataclass(frozen=True)
class WhoIsWho:
    """All names at one moment.

    Attributes:
        people: Names by person id; people who are switched off are not in it.
        ignored_people: Those whose sightings are left out of history and alerts.
        strangers: By any of their ids.
        denials: The person whom a track was said not to be, by track id.
    """

    people: Mapping[str, str] = field(default_factory=dict)
    ignored_people: frozenset[str] = frozenset()
    strangers: Mapping[str, StrangerName] = field(default_factory=dict)
    denials: Mapping[str, str] = field(default_factory=dict)

    @property
    def ignored_strangers(self) -> list[str]:
        """Ids of strangers whose visits are left out."""
        return [id_ for id_, stranger in self.strangers.items() if stranger.ignored]


def is_ignored(person_id: str | None, stranger_id: str | None, who: WhoIsWho) -> bool:
    """Whether somebody, by name or as a stranger, is left out of history and alerts."""
    stranger = who.strangers.get(stranger_id) if stranger_id else None
    return person_id in who.ignored_people or (stranger is not None and stranger.ignored)


def name_strangers(rows: Sequence[StrangerRow], rules: Rules) -> dict[str, StrangerName]:
    """Say what each stranger counts as, by any of their ids.

    A stranger who was joined with others has the number of the one they count as, is ignored if any of them
    is, and is the person that they themselves were said to be, else the one whom all named ones of them are.
    """
    groups: dict[str, list[StrangerRow]] = {}
    for row in rows:
        groups.setdefault(rules.root_of(row.stranger_id), []).append(row)
    named = {}
    for root_id, group in groups.items():
        # The root itself may have no row yet: its first visit is still on its way.
        number = next((row.number for row in group if row.stranger_id == root_id), group[0].number)
        people = {row.person_id for row in group if row.person_id is not None}
        shared = people.pop() if len(people) == 1 else None
        for row in group:
            named[row.stranger_id] = StrangerName(
                root_id=root_id,
                label=f"Stranger {number}",
                person_id=row.person_id or shared,
                ignored=any(other.ignored for other in group),
            )
    return named
