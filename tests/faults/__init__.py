"""Faults done to a real sidecar while it is under load, and a ledger on the sending side that judges.

Here belong the faults, one module each, what they share (`lives`, `ledger`), and `python -m tests.faults`.
Not here: tests of single parts, which stand beside the tests of those parts.
"""
