"""The HTTP face of every process: the standard routes, JSON logs, a clean start and a clean stop.

Belongs here: what all processes share in exporter-toolkit's manner, that is the landing page, `/metrics`,
`/-/healthy`, `/-/ready`, `POST /-/reload`, TLS and basic auth, limits on bodies and connections, correlation
ids, listening and stopping.

Must not be here: any route that one process alone has, and series of any room; a process adds its own routes
to the application that it gets from here.
"""

from airis_mon.web.addresses import Address, add_listen_address
from airis_mon.web.application import application
from airis_mon.web.configuration import WebConfigError
from airis_mon.web.exposition import Exposition, render
from airis_mon.web.guards import ConnectionLimits
from airis_mon.web.logs import configure_logs, request_id
from airis_mon.web.reload import reload_on_hangup
from airis_mon.web.server import AddressInUseError, ListenError, serve, stop_on_signals

__all__ = [
    "Address",
    "AddressInUseError",
    "ConnectionLimits",
    "Exposition",
    "ListenError",
    "WebConfigError",
    "add_listen_address",
    "application",
    "configure_logs",
    "reload_on_hangup",
    "render",
    "request_id",
    "serve",
    "stop_on_signals",
]
