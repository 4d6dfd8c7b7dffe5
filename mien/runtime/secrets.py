"""Passwords of cameras as they are kept: encrypted, with a key that lies elsewhere.

Fernet (AES-128-CBC with HMAC-SHA256, https://github.com/fernet/spec) of the cryptography package. The
first key encrypts; all of them decrypt, so that a key can be replaced without an outage.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from mien.errors import PermanentError, SettingsError
from mien.runtime.settings import SecretSettings

_MARK: Final = "fernet:"


class UndecipherableError(PermanentError):
    """What was encrypted was encrypted with none of the keys there are."""


def open_box(settings: SecretSettings) -> "SecretBox":
    """Return a box with the keys of the settings.

    Raises:
        SettingsError: A key is none, or the file can't be read or made.
    """
    if settings.keys is not None:
        return SecretBox(settings.keys.get_secret_value().split(","))
    try:
        return SecretBox(load_keys(settings.key_file))
    except OSError as error:
        raise SettingsError(f"MIEN_SECRETS_KEY_FILE: {error.strerror}: {settings.key_file}") from error


class SecretBox:
    """Encrypts texts and decrypts them again."""

    def __init__(self, keys: Sequence[str]) -> None:
        usable = [key.strip() for key in keys if key.strip()]
        if not usable:
            raise SettingsError("MIEN_SECRETS: expected at least one key")
        try:
            self._fernet = MultiFernet([Fernet(key) for key in usable])
        except ValueError:
            raise SettingsError(
                "MIEN_SECRETS: a key is 32 bytes in URL-safe base64; make one with: mien secrets new-key"
            ) from None

    def seal(self, text: str) -> str:
        """Return a text encrypted with the newest key."""
        return _MARK + self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Return the text; one that was never encrypted is returned as it is.

        Raises:
            UndecipherableError: None of the keys fits.
        """
        if not is_sealed(sealed):
            return sealed
        try:
            return self._fernet.decrypt(sealed.removeprefix(_MARK)).decode()
        except InvalidToken:
            raise UndecipherableError("encrypted with a key that is not among MIEN_SECRETS_KEYS") from None

    def reseal(self, text: str) -> str:
        """Return a plain or sealed text encrypted with the newest key.

        Raises:
            UndecipherableError: None of the keys fits.
        """
        return self.seal(self.unseal(text))


def is_sealed(text: str) -> bool:
    """Whether a text is encrypted."""
    return text.startswith(_MARK)


def new_key() -> str:
    """Return a new key."""
    return Fernet.generate_key().decode()


def load_keys(path: Path) -> list[str]:
    """Return the keys in a file; one with a new key is made where there is none, readable by its owner only.

    Raises:
        OSError: The file can't be read or made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        # Linked into place whole: of two processes that start at once, both read the key of one of them.
        fresh = _write_beside(path, [new_key()])
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text().split()


def add_key(path: Path) -> int:
    """Put a new key before those in a file; returns how many there are then.

    Raises:
        OSError: The file can't be read or written.
    """
    keys = [new_key(), *path.read_text().split()]
    _write_beside(path, keys).replace(path)
    return len(keys)


def drop_old_keys(path: Path) -> int:
    """Remove all keys but the newest from a file; returns how many were removed.

    Raises:
        OSError: The file can't be read or written.
    """
    keys = path.read_text().split()
    _write_beside(path, keys[:1]).replace(path)
    return len(keys) - 1


def _write_beside(path: Path, keys: Sequence[str]) -> Path:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{key}\n" for key in keys)
    return beside
