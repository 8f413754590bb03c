"""Where the daemon listens for TCP, and what others are told about it."""

import fcntl
import socket
import struct
from collections.abc import Sequence

from dfm.config.config import DaemonConfig
from dfm.config.this_host import host_name
from dfm.errors import DaemonError

_BACKLOG = 1024
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
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


def published(listener: socket.socket, advertise: Sequence[str]) -> list[str]:
    """HOST:PORT for other hosts, in the order in which they try."""
    host, port = listener.getsockname()[:2]
    hosts = list(advertise)
    if not hosts:
        hosts = [socket.getfqdn(), *_of_interfaces()] if host in _EVERYWHERE else [host]
    return [_written(name, port) for name in dict.fromkeys(hosts)]


def on_this_host(listener: socket.socket) -> list[str]:
    """HOST:PORT for processes of this host."""
    host, port = listener.getsockname()[:2]
    return [_written(_EVERYWHERE.get(host, host), port)]


def _written(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _of_interfaces() -> list[str]:
    """What a resolver says about this host, and the IPv4 address of each interface; no loopback."""
    found = []
    try:
        known = socket.getaddrinfo(host_name(), None, type=socket.SOCK_STREAM)
        found += [str(address[4][0]) for address in known]
    except OSError:
        pass  # no resolver knows it
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(asking, _SIOCGIFADDR, request)
            except OSError:
                continue  # it has none
            found.append(socket.inet_ntoa(answer[20:24]))
    return [address for address in found if not address.startswith(("127.", "::1", "fe80:"))]
