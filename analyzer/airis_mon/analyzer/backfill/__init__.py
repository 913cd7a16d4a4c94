"""The past judged afterwards: every aligned time from history, as the live service would have judged it then.

Belongs here: reading ranges ahead in place of a question for each time, what is written already and what the
receiver would refuse, and the order in which queries and times are taken.

Must not be here: models and scores; what judges the past is the `Watch` that judges the present.
"""
