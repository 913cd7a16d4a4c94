"""promtool unit tests that prove a monitor's rules.

Belongs here: input series built from the contract's real names and labels, and what has to come of them. What
is expected is computed from the traffic itself (`traffic`), never by reading the rules back.

Must not be here: the rules, and running promtool (the command line does).
"""
