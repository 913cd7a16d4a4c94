"""Series -> eyes: one dashboard per monitor, as code.

Must not be here: names of series (they come from every room's `series`), or I/O.
"""
