"""Reports: what a command writes into a file for a person to read.

Belongs here: the HTML document that needs nothing beside it, its look, and the names of files to write, which
are refused before anything is done where they cannot be meant.

Must not be here: what a report is about; its tables, drawings and words are of those who write it. Pages that
a server answers with are `web`'s.
"""

from airis_mon.report.document import document
from airis_mon.report.outputs import OutputError, check_outputs, output_file, write_output

__all__ = ["OutputError", "check_outputs", "document", "output_file", "write_output"]
