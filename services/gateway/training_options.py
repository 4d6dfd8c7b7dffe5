"""What a training may be asked for: its kind, and options within bounds."""

from collections.abc import Mapping

from mien.contracts.job_kinds import JOB_KINDS, JobKind, JobOption
from services.gateway.pipeline import InvalidInputError


def require_kind(kind: str) -> JobKind:
    """Return a kind of training.

    Raises:
        InvalidInputError: There is none of this name.
    """
    if kind not in JOB_KINDS:
        raise InvalidInputError(f"kind: expected one of {', '.join(JOB_KINDS)}, got {kind!r}")
    return JOB_KINDS[kind]


def checked_options(kind: JobKind, wanted: Mapping[str, int | float | str]) -> dict[str, int | float | str]:
    """Return all options of a training, defaults where nothing is wanted.

    Raises:
        InvalidInputError: One is unknown or out of bounds.
    """
    known = {option.name: option for option in kind.options}
    if unknown := sorted(wanted.keys() - known.keys()):
        raise InvalidInputError(f"options: {unknown[0]} is not known; these are: {', '.join(known)}")
    return {name: _checked(option, wanted.get(name, option.default)) for name, option in known.items()}


def _checked(option: JobOption, value: int | float | str) -> int | float | str:
    if option.choices:
        if value not in option.choices:
            raise InvalidInputError(f"{option.name}: expected one of {', '.join(option.choices)}")
        return value
    is_whole = isinstance(option.default, int)
    if isinstance(value, str) or (is_whole and value != int(value)):
        raise InvalidInputError(f"{option.name}: expected a {'whole ' if is_whole else ''}number")
    if not option.least <= value <= option.most:
        raise InvalidInputError(f"{option.name}: expected {option.least:g} to {option.most:g}")
    return int(value) if is_whole else float(value)
