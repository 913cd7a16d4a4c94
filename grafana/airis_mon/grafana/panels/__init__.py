"""Panels, one module per thing they show. Each returns the panels of one row, empty where there are none.

Belongs here: which query goes into which panel, and the words that explain it to its reader. Must not be
here: names of series (`queries`), colours and sizes (`look`).
"""
