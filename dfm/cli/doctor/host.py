"""What this host gives a daemon: versions, limits, a name that workers can find."""

import ipaddress
import platform
import resource
import socket
import sys

from dfm.cli.doctor.finding import Findings, good, odd, wrong
from dfm.config.config import Config
from dfm.version import VERSION

_OWN_FILES = 256  # that a daemon opens beside its connections
_UNLIMITED = "unlimited"
_ANY = ("", "0.0.0.0", "::")  # addresses to listen on that are none to connect to


def versions() -> Findings:
    yield good("version", f"dfm {VERSION}, Python {platform.python_version()} ({sys.executable})")


def limits(config: Config) -> Findings:
    """A daemon has a connection per worker, and the hard limit is what it can raise its own to."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = config.pool.max_workers + _OWN_FILES
    most = _UNLIMITED if hard == resource.RLIM_INFINITY else str(hard)
    said = f"{soft} open files (at most {most})"
    if hard != resource.RLIM_INFINITY and hard < wanted:
        yield wrong("limits", f"{said}; {wanted} may be needed", "raise nofile in limits.conf")
    elif soft < wanted:
        yield odd("limits", f"{said}; {wanted} may be needed", f"ulimit -n {wanted}")
    else:
        yield good("limits", said)


def addresses(config: Config) -> Findings:
    """Where workers on other hosts look for the daemon."""
    told = config.daemon.advertise
    bound = config.daemon.bind
    names = told or (bound if bound not in _ANY else socket.getfqdn(),)
    for name in names:
        try:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except OSError as error:
            how = "correct runner.daemon.advertise" if told else "set runner.daemon.advertise"
            yield wrong("address", f"{name} cannot be resolved: {error.strerror}", how)
            continue
        ips = sorted({str(address[4][0]) for address in found})
        if all(ipaddress.ip_address(ip.partition("%")[0]).is_loopback for ip in ips):
            yield odd(
                "address", f"{name} is {', '.join(ips)}: no other host gets there by that name",
                "set runner.daemon.advertise",
            )  # fmt: skip
        else:
            yield good("address", f"workers connect to {name} ({', '.join(ips)})")
    port = config.daemon.worker_port
    if port.first:
        yield good("ports", str(port))
    else:
        yield good("ports", "any; behind a firewall set runner.daemon.worker_port to a range")
