"""A document and a time -> what `airis_mon.analyzer.causes` is to rank, and its answer in words.

Belongs here: which signals and events may have to do with a monitor, reading them, tables and JSON.

Must not be here: how candidates are ordered.
"""
