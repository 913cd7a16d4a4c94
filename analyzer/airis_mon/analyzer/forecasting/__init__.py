"""Numbers -> what comes next, with a band that holds as many outcomes as it says.

Several cheap forecasters are tried on the series' own past from many starting points, weighted by how they
did there, and the band is read from what the weighted forecast was off by.

Belongs here: seasons, forecasters, their weights and their bands, as pure functions of arrays; causal by
construction, the same for live, replay and benchmark.

Must not be here: clocks, sockets, labels, scores of anomalies, or anything that knows where numbers come
from.
"""
