"""Flags of what is between the analyzer and the receiver of what it writes."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from airis_mon.analyzer.commands import flags, identity
from airis_mon.analyzer.writing import Destination
from airis_mon.journal import Bounds
from airis_mon.remote_write import DeadLetters, Delivery
from airis_mon.spec import format_duration, parse_duration

_DEFAULT = Destination("")


def add_protocol(parser: argparse.ArgumentParser) -> None:
    """Add how the receiver is spoken to."""
    parser.add_argument(
        "--remote-write.version",
        dest="remote_write_version",
        choices=("auto", "1.0", "2.0"),
        default=_DEFAULT.version,
        help="of the protocol; auto: 2.0, and 1.0 for receivers that do not know it; 2.0: to the letter, so "
        "that nothing that was refused is sent again in parts (default: %(default)s)",
    )
    identity.add_writing(parser)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how the receiver is spoken to, the queue, and the file of what is given up."""
    add_protocol(parser)
    parser.add_argument(
        "--remote-write.queue-path",
        dest="queue_path",
        metavar="FOLDER",
        type=Path,
        help="keep here what is written until the receiver has taken it, across outages and kills; without "
        "it, what cannot be delivered within a cycle is given up",
    )
    parser.add_argument(
        "--remote-write.queue-max-bytes",
        dest="queue_max_bytes",
        metavar="N",
        type=_size,
        default=_DEFAULT.bounds.bytes,
        help="largest number of bytes that wait in the queue; beyond it the oldest are given up (default: "
        "%(default)s)",
    )
    parser.add_argument(
        "--remote-write.queue-max-age",
        dest="queue_max_age",
        metavar="DURATION",
        type=_age,
        default=_DEFAULT.bounds.seconds,
        help="longest that samples wait in the queue before they are given up (default: "
        f"{format_duration(_DEFAULT.bounds.seconds)})",
    )
    parser.add_argument(
        "--remote-write.dead-letter-path",
        dest="dead_letter_path",
        metavar="FILE",
        type=Path,
        help="write samples that were refused or given up here, one JSON object a line, with the reason",
    )
    parser.add_argument(
        "--remote-write.dead-letter-max-bytes",
        dest="dead_letter_max_bytes",
        metavar="N",
        type=_size,
        default=_DEFAULT.dead_letter_bytes,
        help="largest number of bytes of that file and the one before it, FILE.1 (default: %(default)s)",
    )


def protocol(arguments: argparse.Namespace) -> Delivery:
    """Return the way to the receiver, of an action that ends when it has written."""
    return Destination(
        flags.writing(arguments),
        version=arguments.remote_write_version,
        access=identity.writing(arguments),
    ).delivery()


def destination(arguments: argparse.Namespace) -> Destination:
    """Return what the flags say."""
    return Destination(
        flags.writing(arguments),
        version=arguments.remote_write_version,
        access=identity.writing(arguments),
        queue_path=arguments.queue_path,
        bounds=Bounds(bytes=arguments.queue_max_bytes, seconds=arguments.queue_max_age),
        dead_letter_path=arguments.dead_letter_path,
        dead_letter_bytes=arguments.dead_letter_max_bytes,
    )


def check(destination: Destination) -> None:
    """Make the queue's folder and the file of what is given up; PathError where one cannot be written to."""
    queue, letters = destination.queue_path, destination.dead_letter_path
    if queue is not None:
        with flags.usable("--remote-write.queue-path", queue, flags.FOLDER):
            queue.mkdir(parents=True, exist_ok=True, mode=0o750)
            with tempfile.TemporaryFile(dir=queue):
                pass
    if letters is not None:
        wanted = "name a file in a folder that is there and may be written to"
        with flags.usable("--remote-write.dead-letter-path", letters, wanted):
            DeadLetters(letters).open()


def _size(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1024 <= int(text[:19]) <= 2**50:
        raise argparse.ArgumentTypeError(f"`{text}`: a number of bytes is needed, of 1024 at least")
    return int(text)


def _age(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:  # what is wrong, and what to write
        raise argparse.ArgumentTypeError("; ".join(map(str, error.args))) from error
    if seconds <= 0:
        raise argparse.ArgumentTypeError(f"`{text}`: longer than nothing is needed, such as 1d")
    return float(seconds)
