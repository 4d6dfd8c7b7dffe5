"""Packages that carry weights, fetched with the ordinary client of their registry and checked by checksum."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mien.errors import PermanentError, TransientError

_TIMEOUT_SECONDS = 600


class DownloadError(TransientError):
    """The registry's client is missing, failed or took too long."""


class ChecksumError(PermanentError):
    """A package is not the one whose checksum we know."""


@dataclass(frozen=True)
class Package:
    """One archive of a registry, fixed by version and checksum.

    Attributes:
        source: Take a PyPI package's source archive rather than its wheel.
        wheel_for: Take the wheel for this Python version and platform, whatever machine we are on.
    """

    registry: Literal["npm", "PyPI"]
    name: str
    version: str
    sha256: str
    source: bool = False
    wheel_for: tuple[str, str] | None = None

    def __str__(self) -> str:
        return f"{self.registry} {self.name} {self.version}"

    @property
    def folder_name(self) -> str:
        """Name of the folder in the cache that holds the archive."""
        kind = "source" if self.source else "package"
        return f"{self.registry.lower()}-{self.name.lstrip('@').replace('/', '-')}-{self.version}-{kind}"


FACE_API = Package(
    "npm",
    "@vladmandic/face-api",
    "1.7.15",
    "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031",
)
HUMAN = Package(
    "npm",
    "@vladmandic/human",
    "3.3.6",
    "425e9c51dbbca0c8934362b170cb0d54c2529c11c654b3c03092b16e9d6ad3f7",
)


@dataclass(frozen=True)
class PackageFiles:
    """The files inside a fetched archive (npm tarball, source archive or wheel)."""

    archive: Path

    def read(self, name: str) -> bytes:
        """Return the content of the file `name`, a path inside the archive.

        Raises:
            PermanentError: the archive has no such file.
        """
        try:
            if zipfile.is_zipfile(self.archive):
                with zipfile.ZipFile(self.archive) as wheel:
                    return wheel.read(name)
            with tarfile.open(self.archive) as tarball:
                member = tarball.extractfile(name)
                if member is not None:
                    return member.read()
        except KeyError:
            pass  # Said below, for both kinds of archive.
        raise PermanentError(f"{self.archive.name}: expected a file {name} inside, found none")


def fetch(package: Package, cache: Path) -> PackageFiles:
    """Return the files of `package`, from `cache` if they are there and whole, else from its registry.

    Raises:
        DownloadError: the client of the registry is missing, failed or took too long.
        ChecksumError: what came is not what we know by that name and version.
    """
    folder = cache / package.folder_name
    for archive in sorted(folder.glob("*")):
        if file_sha256(archive) == package.sha256:
            return PackageFiles(archive)
        archive.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as arrival:
        archive = _download(package, Path(arrival))
        found = file_sha256(archive)
        if found != package.sha256:
            raise ChecksumError(
                f"{package}: expected an archive with sha256 {package.sha256}, got {found}; nothing was "
                "installed. Is a registry mirror or proxy changing packages?"
            )
        return PackageFiles(Path(shutil.move(archive, folder / archive.name)))


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(package: Package, folder: Path) -> Path:
    command = _command(package, folder)
    try:
        subprocess.run(
            command,
            # pip reads this as a requirements file; npm does not look at it.
            input=f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n",
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
        )
    except FileNotFoundError as error:
        raise DownloadError(f"{package}: {command[0]} is not installed (Debian: apt install npm)") from error
    except subprocess.TimeoutExpired as error:
        raise DownloadError(f"{package}: nothing after {_TIMEOUT_SECONDS} s; is the network up?") from error
    except subprocess.CalledProcessError as error:
        last_words = error.stderr.strip()[-500:] or "no message"
        raise DownloadError(f"{package}: {command[0]} ended with {error.returncode}: {last_words}") from error
    archives = list(folder.iterdir())
    if len(archives) != 1:
        raise DownloadError(f"{package}: expected one archive, got {sorted(path.name for path in archives)}")
    return archives[0]


def _command(package: Package, folder: Path) -> list[str]:
    if package.registry == "npm":
        return ["npm", "pack", "--silent", "--ignore-scripts", f"{package.name}@{package.version}"]
    kind = ["--no-binary", package.name] if package.source else ["--only-binary", ":all:"]
    if package.wheel_for is not None:
        python_version, platform = package.wheel_for
        kind += ["--python-version", python_version, "--platform", platform]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *kind]
    # Reading a source archive's metadata runs its code: its checksum is required before that, not only after.
    return [*pip, "--dest", str(folder), "--require-hashes", "--requirement", "/dev/stdin"]
