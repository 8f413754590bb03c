"""Tells a service manager that the daemon serves: the protocol of sd_notify(3), one datagram."""

import socket
from collections.abc import MutableMapping

_VARIABLE = "NOTIFY_SOCKET"


class Manager:
    """Who started this daemon as a service; mostly nobody.

    The variable goes from the environment: no worker and no task is to speak for the daemon.
    """

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._address = environ.pop(_VARIABLE, "")

    def tell_ready(self) -> None:
        """A manager that does not listen changes nothing: it will say itself what it misses."""
        if not self._address.startswith(("/", "@")):
            return
        address = self._address
        if address.startswith("@"):  # an abstract socket: unix(7)
            address = "\0" + address[1:]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            try:
                sender.sendto(b"READY=1", address)
            except OSError:
                pass
