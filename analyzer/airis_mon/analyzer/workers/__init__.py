"""Several processes on one machine, each with its share of the queries, and the one that starts them.

Belongs here: what a worker's process does, how it is started, told what to judge and started anew where it
died, one page of series for all of them, and what becomes of the queues of workers that are no longer there.

Must not be here: how a share is judged and written (`engine`), which query is in which share (`shards`), and
flags.

A worker and its supervisor have a pipe between them and nothing else: the supervisor sends `Work`, the
worker sends a `Report` each second. Who finds the other end closed knows that the other process is gone.
Workers read no configuration: all of them judge what the supervisor has read, or none does.
"""
