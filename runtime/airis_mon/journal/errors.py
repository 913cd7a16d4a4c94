"""Why a batch was not kept; it then neither counts nor is acknowledged."""

from __future__ import annotations


class JournalError(Exception):
    """A batch that could not be kept."""

    retry_after = 1
    """Seconds after which a sender may try again."""


class JournalFullError(JournalError):
    """Too little space is left on the disk; appends go on by themselves once there is more."""

    retry_after = 10


class JournalBusyError(JournalError):
    """More waits to be written than is allowed to wait."""


class JournalBrokenError(JournalError):
    """The disk failed twice in a row; nothing more is taken until the process is started anew."""

    retry_after = 30


class JournalLockedError(JournalError):
    """Another process writes to this folder."""


class JournalVersionError(JournalError):
    """A file of a format that this version does not know; nothing was changed."""
