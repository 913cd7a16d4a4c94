"""Where the fields of our own values were written in a document of another dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from airis_mon.spec.problems import Location, Origin
from airis_mon.spec.reading import Reading


def origin(file: str, reading: Reading, called: Mapping[str, str]) -> Origin:
    """Return the origin of values whose paths were called otherwise in the document.

    `called` maps our path to theirs. What was left out is placed at what is around it there.
    """
    theirs = Origin(file, reading.places)
    places: dict[str, Location] = {}
    for ours, path in called.items():
        place = theirs.locate(path)
        if place is not None:
            places[ours] = replace(place, path=path)
    return Origin(file, places)
