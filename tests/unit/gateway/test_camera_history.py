"""How a camera was: rows of changes, and what they add up to."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from mien.contracts.cameras import Camera, CameraState
from mien.contracts.events import CameraStateChanged
from services.gateway.camera_history import forget_before, read_history, sum_up, write_changes, write_silence
from services.gateway.database import Database
from services.gateway.tables import CameraStateEntry
from tests.unit.gateway.conftest import Gateway

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def changed(
    minutes_ago: float, state: CameraState, reason: str = "", camera_id: str = "door"
) -> CameraStateChanged:
    return CameraStateChanged(
        camera_id=camera_id,
        event_id=f"{camera_id} {minutes_ago}",
        captured_at_ns=int(at(minutes_ago).timestamp() * 1e9),
        state=state,
        reason=reason,
    )


def entry(minutes_ago: float, state: CameraState, reason: str = "") -> CameraStateEntry:
    return CameraStateEntry(
        event_id=str(minutes_ago), camera_id="door", state=state, reason=reason, started_at=at(minutes_ago)
    )


async def test_a_loss_is_told_from_when_to_when_and_why(database: Database) -> None:
    """What is read twice, or says nothing new, is one row."""
    told = [
        changed(600, "streaming"),
        changed(120, "backoff", "the camera refuses the connection"),
        changed(118, "streaming"),
        changed(117, "streaming"),
    ]
    await database.run(lambda session: write_changes(session, told))
    await database.run(lambda session: write_changes(session, told[1:3]))
    history = await database.run(
        lambda session: read_history(session, "door", since=at(240), now=NOW, limit=10)
    )
    assert [(one.state, one.reason, one.started_at, one.ended_at) for one in history.periods] == [
        ("streaming", "", at(118), None),
        ("backoff", "the camera refuses the connection", at(120), at(118)),
        ("streaming", "", at(600), at(120)),
    ]
    assert history.losses == 1
    assert history.uptime == pytest.approx(1 - 2 / 240, abs=1e-4)


@pytest.mark.parametrize(
    ("entries", "uptime", "losses"),
    [
        ([], None, 0),
        ([entry(60, "stopped", "switched off")], None, 0),
        ([entry(60, "streaming")], 1.0, 0),
        ([entry(120, "streaming"), entry(30, "stopped", "outside its schedule")], 1.0, 0),
        ([entry(60, "streaming"), entry(45, "frozen"), entry(30, "slow")], 1.0, 0),
        ([entry(60, "backoff"), entry(15, "streaming")], 0.25, 0),
        (
            [entry(60, "streaming"), entry(30, "stalled"), entry(20, "backoff"), entry(15, "streaming")],
            0.75,
            1,
        ),
        ([entry(60, "streaming"), entry(30, "unassigned")], 0.5, 1),
    ],
)
def test_uptime_is_of_the_time_in_which_it_should_deliver(
    entries: list[CameraStateEntry], uptime: float | None, losses: int
) -> None:
    """A camera that is closed on purpose is neither up nor down."""
    history = sum_up(entries, since=at(60), now=NOW, limit=10)
    assert (history.uptime, history.losses) == (uptime, losses)


async def test_silence_is_written_once(database: Database) -> None:
    """Two gateways notice that nobody looks after a camera, and it is one row."""
    await database.run(lambda session: write_changes(session, [changed(60, "streaming")]))
    for _ in range(2):
        await database.run(lambda session: write_silence(session, ["door", "never-heard-of"], at(5)))
    history = await database.run(
        lambda session: read_history(session, "door", since=at(60), now=NOW, limit=9)
    )
    assert [(one.state, one.started_at) for one in history.periods] == [
        ("unassigned", at(5)),
        ("streaming", at(60)),
    ]


async def test_what_is_old_is_forgotten_but_for_the_state_of_then(database: Database) -> None:
    """A camera that has been up for a year is still known to be up."""
    told = [changed(900, "connecting"), changed(800, "streaming"), changed(10, "backoff")]
    other = changed(700, "streaming", camera_id="yard")
    await database.run(lambda session: write_changes(session, [*told, other]))
    await database.run(lambda session: forget_before(session, at(600)))
    left = await database.run(lambda session: session.scalars(select(CameraStateEntry)).all())
    assert sorted(one.event_id for one in left) == ["door 10", "door 800", "yard 700"]


async def test_the_interface_tells_it(gateway_with_redis: Gateway) -> None:
    """Over any time back, newest first; of a camera that is not there nothing is told."""
    gateway = gateway_with_redis
    await gateway.context.registry.add(
        Camera(camera_id="door", name="Door", url="rtsp://10.0.0.1/", partition=0)
    )
    recent = changed(0, "streaming")
    await gateway.context.database.run(lambda session: write_changes(session, [recent]))
    answer = await gateway.client.get("/api/cameras/door/history", params={"hours": 24 * 365})
    assert answer.status_code == 200
    assert (await gateway.client.get("/api/cameras/nobody/history")).status_code == 404
