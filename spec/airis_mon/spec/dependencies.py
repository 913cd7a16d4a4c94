"""Which models cannot answer without which: the graph that `depends_on` draws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping


def dependants(graph: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """Return, of each name that others depend on, all who do, directly or through others, sorted.

    `graph` maps a name to those that it depends on.
    """
    direct: dict[str, set[str]] = {}
    for name, needed in graph.items():
        for one in needed:
            direct.setdefault(one, set()).add(name)
    return {name: tuple(sorted(_reachable(name, direct))) for name in sorted(direct)}


def _reachable(start: str, graph: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = set(graph.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found


def cycles(graph: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, ...]]:
    """Yield rings in the graph, each from a name around to the same name; none only where there is none.

    Of rings that share an edge one is told: once it is broken, the next run tells the other.
    """
    done: set[str] = set()
    for start in graph:
        trail: list[tuple[str, Iterator[str]]] = []
        if start not in done:
            trail.append((start, iter(graph[start])))
        on_trail = {start: 0}
        while trail:
            name, rest = trail[-1]
            following = next(rest, None)
            if following is None:
                trail.pop()
                del on_trail[name]
                done.add(name)
            elif following in on_trail:
                yield (*(one for one, _ in trail[on_trail[following] :]), following)
            elif following not in done:
                on_trail[following] = len(trail)
                trail.append((following, iter(graph.get(following, ()))))
