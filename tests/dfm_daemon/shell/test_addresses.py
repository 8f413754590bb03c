"""Where the daemon listens, and what it says about that."""

import socket

import pytest

from dfm.config.config import DaemonConfig
from dfm.config.quantities import PortRange
from dfm.errors import DaemonError
from dfm_daemon.shell import addresses


def config(bind: str = "", advertise: tuple[str, ...] = (), port: int = 0) -> DaemonConfig:
    return DaemonConfig(bind, advertise, PortRange(port, port), True, ())


def said(given: DaemonConfig, *, is_local: bool) -> tuple[str, list[str]]:
    """Where it listens, and the hosts that peers are told."""
    with addresses.listen(given, is_local=is_local) as listener:
        host, port = listener.getsockname()[:2]
        found = addresses.of(listener, given.advertise, is_local=is_local)
    assert {number for _, number in found} == {port}
    return host, [name for name, _ in found]


def test_with_workers_of_this_host_only_it_listens_on_loopback() -> None:
    assert said(config(), is_local=True) == ("127.0.0.1", ["127.0.0.1"])


def test_with_workers_elsewhere_it_listens_everywhere_and_says_no_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda: "login1.site")
    host, hosts = said(config(), is_local=False)
    assert host == "0.0.0.0"
    assert hosts[0] == "login1.site"
    assert not any(name.startswith("127.") for name in hosts)


def test_own_workers_come_by_loopback_and_other_hosts_by_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda: "login1.site")
    host, hosts = said(config("0.0.0.0"), is_local=True)
    assert host == "0.0.0.0"
    assert hosts[:2] == ["127.0.0.1", "login1.site"]


def test_what_the_site_advertises_is_said_and_nothing_else() -> None:
    assert said(config("0.0.0.0", ("a", "b")), is_local=False)[1] == ["a", "b"]
    assert said(config("127.0.0.1", ("a",)), is_local=False)[1] == ["a"]


def test_a_host_that_no_resolver_knows_still_says_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setattr(socket, "getfqdn", lambda: "localhost.localdomain")
    monkeypatch.setattr(socket, "if_nameindex", lambda: [(1, "lo")])
    assert said(config("0.0.0.0"), is_local=False)[1] == ["127.0.0.1"]


def test_ipv6_is_written_in_brackets() -> None:
    assert addresses.written([("::1", 5), ("a", 6)]) == "[::1]:5,a:6"


def test_where_it_cannot_listen_is_named() -> None:
    with pytest.raises(DaemonError, match=r"cannot listen for workers on no\.such\.invalid"):
        addresses.listen(config("no.such.invalid"), is_local=True)
