"""Where the daemon listens for TCP, and what others are told about it."""

import fcntl
import socket
import struct
from collections.abc import Sequence

from dfm.config.config import DaemonConfig
from dfm.config.this_host import host_name
from dfm.errors import DaemonError

Address = tuple[str, int]  # host and port

_BACKLOG = 1024
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_OF_ONE_HOST = ("localhost", "127.", "::1", "fe80:")  # what means another one on each host
_SIOCGIFADDR = 0x8915  # netdevice(7)


def listen(config: DaemonConfig, *, is_local: bool) -> socket.socket:
    """By default on the loopback interface if all workers are on this host, else on all interfaces.

    Raises DaemonError.
    """
    host = config.bind or ("127.0.0.1" if is_local else "0.0.0.0")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    trouble: OSError | None = None
    for port in range(config.worker_port.first, config.worker_port.last + 1):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            trouble = error
            continue
        return listener
    raise DaemonError(
        f"cannot listen for workers on {host}, port {config.worker_port}: {trouble}",
        hint="runner.daemon.bind and runner.daemon.worker_port say where",
    )


def of(listener: socket.socket, advertise: Sequence[str], *, is_local: bool) -> list[Address]:
    """Where peers find it, in the order in which they try. `is_local`: all workers are on this host."""
    host, port = listener.getsockname()[:2]
    if host in _EVERYWHERE:
        others = list(advertise) or _of_this_host(listener.family)
        hosts = [_EVERYWHERE[host], *others] if is_local or not others else others
    else:
        hosts = list(advertise) or [host]
    return [(name, port) for name in dict.fromkeys(hosts)]


def written(addresses: Sequence[Address]) -> str:
    """HOST:PORT,... as a worker's command line has it."""
    return ",".join(
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in addresses
    )


def _of_this_host(family: int) -> list[str]:
    """Its full name, what a resolver says about it, and the IPv4 address of each interface."""
    found = [socket.getfqdn()]
    try:
        known = socket.getaddrinfo(host_name(), None, type=socket.SOCK_STREAM)
        found += [str(entry[4][0]) for entry in known if family in (entry[0], socket.AF_INET6)]
    except OSError:
        pass  # no resolver knows it
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(asking, _SIOCGIFADDR, struct.pack("256s", name.encode()))
            except OSError:
                continue  # it has none
            found.append(socket.inet_ntoa(answer[20:24]))
    return [address for address in found if not address.startswith(_OF_ONE_HOST)]
