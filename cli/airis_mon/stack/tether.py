"""Run a program that ends when its parent does: `python tether.py PARENT_PID PROGRAM ARGUMENT...`.

A parent that is killed cannot end its children. On Linux the kernel does it when asked to beforehand
(PR_SET_PDEATHSIG), and the wish survives exec; a script of its own asks in the child, because code between
fork and exec of a threaded parent may deadlock. Elsewhere the program just runs. The wish is bound to the
*thread* that started the child, which therefore has to live as long.

Run as a file by the interpreter, without airis_mon on its path: standard library only.
"""

from __future__ import annotations

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    """Replace this process by the program in `argv[1:]`."""
    parent, program = int(argv[0]), argv[1:]
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)
    try:
        os.execv(program[0], program)  # noqa: S606
    except OSError as error:
        sys.stderr.write(f"{program[0]}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
