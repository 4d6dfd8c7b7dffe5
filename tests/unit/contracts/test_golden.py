"""What version 1 wrote must be readable for ever."""

from pathlib import Path

import msgspec
import pytest

from mien.contracts import events
from mien.errors import ContractError
from tests.samples import SAMPLES

GOLDEN = Path(__file__).parents[2] / "data" / "contracts" / "v1"


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_golden_file_decodes_to_what_was_written(name: str) -> None:
    """A file written by the first release means the same today."""
    value = (GOLDEN / f"{name}.msgpack").read_bytes()
    assert events.decode_event(value, type(SAMPLES[name])) == SAMPLES[name]


def test_every_event_has_a_golden_file() -> None:
    """No event type is added without a file that pins its layout."""
    types = {cls.__name__ for cls in _leaves(events.Event)}
    assert types == set(SAMPLES) == {path.stem for path in GOLDEN.glob("*.msgpack")}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_reader_ignores_fields_it_does_not_know(name: str) -> None:
    """An optional field added later does not break a reader of today."""
    fields = msgspec.msgpack.decode((GOLDEN / f"{name}.msgpack").read_bytes())
    value = msgspec.msgpack.encode(fields | {"added_in_a_later_release": 1})
    assert events.decode_event(value, type(SAMPLES[name])) == SAMPLES[name]


@pytest.mark.parametrize(
    "value", [None, b"", b"\xc1", b"not an event", msgspec.msgpack.encode({"camera_id": 1})]
)
def test_bytes_that_are_no_event_are_refused_in_words(value: bytes | None) -> None:
    """A poison message is a ContractError that says what was expected."""
    with pytest.raises(ContractError, match="expected a FaceShot"):
        events.decode_event(value, events.FaceShot)


def test_track_events_are_told_apart_by_their_tag() -> None:
    """Two kinds of event on one topic decode to the right type."""
    for name in ("TrackStarted", "TrackEnded"):
        decoded = events.decode_event(events.encode_event(SAMPLES[name]), events.TrackEvent)
        assert decoded == SAMPLES[name]


def test_event_ids_repeat_for_the_same_parts_only() -> None:
    """A replayed shot has the id it had; another shot has another."""
    first = events.derive_event_id("door:3:17", 1, "identity", "face_embedder", 1)
    assert first == events.derive_event_id("door:3:17", 1, "identity", "face_embedder", 1)
    assert first != events.derive_event_id("door:3:17", 2, "identity", "face_embedder", 1)
    assert events.derive_event_id("ab", "c") != events.derive_event_id("a", "bc")


def _leaves(cls: type) -> list[type]:
    below: list[type] = cls.__subclasses__()
    return [leaf for sub in below for leaf in _leaves(sub)] if below else [cls]
