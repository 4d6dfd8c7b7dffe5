"""Names in a configuration that stand for values kept elsewhere, most often for passwords."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

# Frigate writes {FRIGATE_NAME}, go2rtc ${NAME} or ${NAME:default}.
_VARIABLE: Final = re.compile(r"\{(FRIGATE_[A-Za-z0-9_]+)\}|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?\}")


@dataclass
class Variables:
    """Puts values in, and remembers which were missing; nothing is taken from our own environment."""

    values: Mapping[str, str]
    missing: set[str] = field(default_factory=set)

    def fill(self, url: str) -> tuple[str, list[str]]:
        """Return an address with its variables replaced, and the names of those that nobody gave."""
        missing: list[str] = []
        credentials_end = url.rfind("@")

        def value_of(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            value = self.values.get(name, match[3])
            if value is None:
                missing.append(name)
                return match[0]
            # Passwords are given as they are, and stand in an address only encoded.
            return quote(value, safe="") if match.start() < credentials_end else value

        filled = _VARIABLE.sub(value_of, url)
        self.missing.update(missing)
        return filled, missing
