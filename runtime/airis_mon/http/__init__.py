"""What every client of an HTTP server says of it: where it is, and why it gave no answer.

Belongs here: words that hold for any server and any request.

Must not be here: a protocol, its answers, or what they mean; `remote_write` and `remote_read` have theirs.
"""

from airis_mon.http.failures import cause, nested
from airis_mon.http.places import same_server, shown

__all__ = ["cause", "nested", "same_server", "shown"]
