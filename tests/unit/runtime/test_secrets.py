"""Passwords of cameras: encrypted where they lie, readable with any of the keys."""

import stat
from pathlib import Path

import fakeredis
import msgspec
import pytest
from pydantic import SecretStr

from mien.contracts.cameras import Camera
from mien.contracts.shared_state import CAMERAS_KEY
from mien.errors import SettingsError
from mien.runtime.cameras import CameraRegistry
from mien.runtime.secrets import (
    SecretBox,
    UndecipherableError,
    add_key,
    drop_old_keys,
    is_sealed,
    load_keys,
    new_key,
    open_box,
)
from mien.runtime.settings import SecretSettings

PASSWORD = "p@ss:w/rd#1%"


def camera(camera_id: str, password: str | None = PASSWORD) -> Camera:
    return Camera(
        camera_id=camera_id, name="C", url="rtsp://10.0.0.1/a", partition=0, username="u", password=password
    )


def test_what_is_sealed_shows_nothing_and_opens_again() -> None:
    """The same password is another text each time."""
    box = SecretBox([new_key()])
    one, other = box.seal(PASSWORD), box.seal(PASSWORD)
    assert one != other
    assert PASSWORD not in one
    assert is_sealed(one)
    assert box.unseal(one) == box.unseal(other) == PASSWORD
    assert box.unseal("plain as an earlier release left it") == "plain as an earlier release left it"


def test_a_key_is_replaced_without_an_outage() -> None:
    """The new key seals, both open; without the old one what it sealed is lost, and said to be."""
    old, new = new_key(), new_key()
    sealed = SecretBox([old]).seal(PASSWORD)
    both = SecretBox([new, old])
    assert both.unseal(sealed) == PASSWORD
    assert SecretBox([new]).unseal(both.reseal(sealed)) == PASSWORD
    with pytest.raises(UndecipherableError):
        SecretBox([new]).unseal(sealed)


@pytest.mark.parametrize("keys", ["", "short", "no key,neither"])
def test_what_is_no_key_is_refused_without_repeating_it(keys: str) -> None:
    """The message tells how to make one."""
    with pytest.raises(SettingsError) as told:
        open_box(SecretSettings(keys=SecretStr(keys)))
    assert "short" not in str(told.value)


def test_the_first_process_makes_the_key_and_all_others_read_it(tmp_path: Path) -> None:
    """Only its owner may read the file; a second process gets the same key."""
    path = tmp_path / "secrets" / "keys"
    assert load_keys(path) == load_keys(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["keys"]


def test_a_key_is_added_and_old_ones_are_dropped(tmp_path: Path) -> None:
    """The newest comes first, and the file stays its owner's alone."""
    path = tmp_path / "keys"
    [first] = load_keys(path)
    assert add_key(path) == 2
    assert load_keys(path)[1] == first
    newest = load_keys(path)[0]
    assert drop_old_keys(path) == 1
    assert load_keys(path) == [newest]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_registry_holds_no_password_in_the_clear() -> None:
    """Whoever has the key reads it; a detector, which has none, sees a camera without."""
    key = new_key()
    async with fakeredis.FakeAsyncRedis() as redis:
        registry = CameraRegistry(redis, partitions=4, secrets=SecretBox([key]))
        assert (await registry.add(camera("door"))).password == PASSWORD
        stored = await redis.hget(CAMERAS_KEY, "door")
        assert PASSWORD.encode() not in stored
        assert (await registry.update("door", {"sampled_fps": 2.0})).password == PASSWORD
        assert (await registry.get("door")).password == PASSWORD
        [seen] = await CameraRegistry(redis, partitions=4).list_cameras()
        assert (seen.password, seen.username) == (None, "u")
        with pytest.raises(ValueError, match="without keys"):
            await CameraRegistry(redis, partitions=4).update("door", {"password": "new"})


async def test_plain_passwords_of_an_earlier_release_are_encrypted() -> None:
    """They are readable before and after; what is sealed with an old key is sealed with the newest."""
    old, new = new_key(), new_key()
    async with fakeredis.FakeAsyncRedis() as redis:
        await redis.hset(CAMERAS_KEY, "plain", msgspec.msgpack.encode(camera("plain")))
        await redis.hset(CAMERAS_KEY, "open", msgspec.msgpack.encode(camera("open", None)))
        await CameraRegistry(redis, partitions=4, secrets=SecretBox([old])).add(camera("old"))
        both = CameraRegistry(redis, partitions=4, secrets=SecretBox([new, old]))
        assert (await both.get("plain")).password == PASSWORD
        assert await both.reseal() == 2
        newest = CameraRegistry(redis, partitions=4, secrets=SecretBox([new]))
        assert [one.password for one in await newest.list_cameras()] == [PASSWORD, None, PASSWORD]
        assert PASSWORD.encode() not in b"".join((await redis.hgetall(CAMERAS_KEY)).values())


async def test_a_lost_key_is_told_and_a_new_password_mends_it() -> None:
    """The camera seems to have no password; the old one stays in case its key is found."""
    async with fakeredis.FakeAsyncRedis() as redis:
        await CameraRegistry(redis, partitions=4, secrets=SecretBox([new_key()])).add(camera("door"))
        registry = CameraRegistry(redis, partitions=4, secrets=SecretBox([new_key()]))
        [seen] = await registry.list_cameras()
        assert (seen.password, registry.undecipherable) == (None, {"door"})
        assert await registry.reseal() == 0
        await registry.update("door", {"password": "new"})
        assert (await registry.get("door")).password == "new"
        assert registry.undecipherable == set()
