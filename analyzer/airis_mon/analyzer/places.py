"""The plain values of a YAML text, and where each stands, so that a message about it can point there."""

from __future__ import annotations

import yaml

from airis_mon.spec import Items, Limits, Location, Node, Origin, Pairs, Problem, Scalar, SpecError, compose

LIMITS = Limits(characters=8 * 1024 * 1024, documents=1, depth=10, nodes=500_000)
"""Of the largest configuration: 10,000 queries of some 800 characters and 50 values, keys among them."""
_KEY_MAX = 64
"""Characters of a key: it stands in the path of all that is below it."""
_PROBLEMS_MAX = 50
_TAG = "tag:yaml.org,2002:"
_WRITTEN = frozenset({"int", "float", "timestamp"})
"""What is not the text it is written as."""


def located(text: str, file: str, begin: str) -> tuple[object, Origin]:
    """Return the plain values of a YAML text, and the place of each path; SpecError where it is no YAML.

    `begin` is how such a file begins: what to write into an empty one.
    """
    documents, ending = compose(file, text, begin, LIMITS)
    problems = [problem for document in documents for problem in document.problems]
    if ending is not None:
        problems.append(ending)
    if problems:
        raise SpecError(problems[:_PROBLEMS_MAX])
    places: dict[str, Location] = {}
    tree = _Tree(places)
    values = tree.value("", documents[0].root)
    if tree.problems:
        raise SpecError(tree.problems[:_PROBLEMS_MAX])
    return values, Origin(file, places)


class _Tree:
    """Makes plain values of nodes: as deep and as large as LIMITS let them be."""

    def __init__(self, places: dict[str, Location]) -> None:
        self.places = places
        self.problems: list[Problem] = []
        self._constructor = yaml.constructor.SafeConstructor()

    def value(self, path: str, node: Node) -> object:
        self.places[path] = node.location
        if isinstance(node, Items):
            return [self.value(f"{path}[{number}]", item) for number, item in enumerate(node.items)]
        if isinstance(node, Pairs):
            return self._pairs(path, node)
        return self._scalar(path, node)

    def _pairs(self, path: str, node: Pairs) -> dict[str, object]:
        found = {}
        for key, item in node.pairs:
            if len(key.text) > _KEY_MAX:
                message = f"a key of {len(key.text)} characters; at most {_KEY_MAX} are read"
                self.problems.append(Problem(message, path, key.location))
                continue
            found[key.text] = self.value(f"{path}.{key.text}".lstrip("."), item)
        return found

    def _scalar(self, path: str, node: Scalar) -> object:
        if node.type == "null":
            return None
        if node.type == "bool":
            return yaml.constructor.SafeConstructor.bool_values.get(node.text.lower(), node.text)
        if node.type not in _WRITTEN:
            return node.text
        scalar = yaml.ScalarNode(f"{_TAG}{node.type}", node.text)
        try:
            return self._constructor.construct_object(scalar)
        except (ValueError, LookupError, AttributeError, OverflowError):
            # Such as a 31st of February, or a tag that its text does not bear out.
            message = f"`{node.text[:80]}` is no {node.type}"
            self.problems.append(Problem(message, path, node.location, "put quotes around it"))
            return None
