"""The one command, `airis-mon`.

Belongs here: arguments, files in and out, messages to people, exit codes. Must not be here: anything that
another program would want to call; that lives in the room it belongs to.
"""

from airis_mon.cli.main import main

__all__ = ["main"]
