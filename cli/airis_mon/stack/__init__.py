"""The real Prometheus and Alertmanager, the sidecar and the analyzer, started and wired for you.

Belongs here: finding the servers, their command lines and configuration, child processes, ports. Must not be
here: anything that a monitoring team would not run on a laptop, or any answer of a server that we made up.
"""
