"""YAML from strangers: plain values only, and never more of them than the file has room for."""

from typing import Any, Final

import yaml

from services.gateway.camera_files.entry import CameraFileError

_MAX_EVENTS: Final = 100_000
_MAX_DEPTH: Final = 40
_MAX_VALUES: Final = 200_000
# libyaml's parser is twenty times as fast; it is not built everywhere.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(text: str) -> tuple[Any, Any]:
    """Return a document's value, and its node, which knows the lines.

    Raises:
        CameraFileError: It is no YAML, nested too deep, or grows by aliases into more than it looks.
    """
    try:
        _check_events(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None, None
            _count_values(node, {})
            return loader.construct_document(node), node
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise CameraFileError(f"{where}{error.problem or 'this is no YAML'}") from None
    except yaml.YAMLError as error:
        raise CameraFileError(f"this is no YAML: {str(error)[:200]}") from None
    except RecursionError:
        raise CameraFileError("the file refers to itself") from None
    except (ValueError, OverflowError, TypeError) as error:
        raise CameraFileError(f"a value can't be read: {str(error)[:200]}") from None


def lines_of(node: Any, *path: str) -> dict[str, int]:
    """Return the line of each key of the mapping at a path; empty where there is none."""
    for name in path:
        node = next((value for key, value in _pairs(node) if key.value == name), None)
    return {str(key.value): key.start_mark.line + 1 for key, _ in _pairs(node)}


def item_lines(node: Any, *path: str) -> list[int]:
    """Return the line of each item of the list at a path."""
    for name in path:
        node = next((value for key, value in _pairs(node) if key.value == name), None)
    return [item.start_mark.line + 1 for item in node.value] if isinstance(node, yaml.SequenceNode) else []


def _pairs(node: Any) -> list[tuple[Any, Any]]:
    return node.value if isinstance(node, yaml.MappingNode) else []


def _check_events(text: str) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH or count > _MAX_EVENTS:
            raise CameraFileError("the file is nested too deep or holds too many values")


def _count_values(node: Any, counted: dict[int, int]) -> int:
    """Count the values of a node, those behind aliases each time: merging copies them."""
    if id(node) in counted:
        if counted[id(node)] == 0:
            raise RecursionError
        return counted[id(node)]
    counted[id(node)] = 0
    total = 1
    if isinstance(node, yaml.MappingNode):
        total += sum(_count_values(key, counted) + _count_values(value, counted) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        total += sum(_count_values(item, counted) for item in node.value)
    if total > _MAX_VALUES:
        raise CameraFileError("the file grows by its aliases into more than it may hold")
    counted[id(node)] = total
    return total
