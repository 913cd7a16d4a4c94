"""Where each value of a YAML text stands, so that a message about it can point there."""

from __future__ import annotations

import yaml

from airis_mon.spec import Location, Origin, Problem, SpecError

_CHARACTERS_MAX = 8 * 1024 * 1024
_DEPTH_MAX = 10


def located(text: str, file: str) -> tuple[object, Origin]:
    """Return the plain values of a YAML text, and the place of each path; SpecError where it is no YAML."""
    if len(text) > _CHARACTERS_MAX:
        raise SpecError([Problem(f"{file} is larger than {_CHARACTERS_MAX >> 20} MiB")])
    lines = text.splitlines()
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = None if mark is None else _location(file, lines, mark, mark)
        raise SpecError([Problem(f"this is no YAML: {error.problem or error}", "", place)]) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise SpecError([Problem(f"{file} is no YAML: {error}")]) from error
    places: dict[str, Location] = {}
    nodes = [("", root, 0)] if root is not None else []
    while nodes:
        path, node, depth = nodes.pop()
        places[path] = _location(file, lines, node.start_mark, node.end_mark)
        if depth == _DEPTH_MAX:
            raise SpecError([Problem(f"nested deeper than {_DEPTH_MAX} levels", path, places[path])])
        if isinstance(node, yaml.SequenceNode):
            nodes += [(f"{path}[{n}]", child, depth + 1) for n, child in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            nodes += [
                (f"{path}.{key.value}".lstrip("."), child, depth + 1)
                for key, child in node.value
                if isinstance(key, yaml.ScalarNode)
            ]
    return values, Origin(file, places)


def _location(file: str, lines: list[str], start: yaml.Mark, end: yaml.Mark) -> Location:
    text = lines[start.line] if start.line < len(lines) else ""
    stop = end.column if end.line == start.line else len(text)
    return Location(file, start.line + 1, start.column + 1, text, max(1, stop - start.column))
