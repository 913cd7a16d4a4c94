"""A document -> what `airis_mon.analyzer.capacity` has to be given, and its answer in words.

Belongs here: which signals of a contract are load and which are utilisation, reading them, tables and JSON.

Must not be here: how a plan is made of numbers.
"""
