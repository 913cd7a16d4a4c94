"""Profiles that ship with the package: what most teams want of a kind of model, named by `profile:`.

A profile holds no latency objective: a latency has to be a boundary of the model server's histogram, and a
profile does not know the server.
"""

from importlib import resources

NAMES = ("classifier", "llm-serving")


def built_in() -> dict[str, str]:
    """Return the text of each profile by its name."""
    folder = resources.files(__name__)
    return {name: (folder / f"{name}.yaml").read_text(encoding="utf-8") for name in NAMES}
