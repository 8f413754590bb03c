"""The doors of one daemon: its socket for clients of this host, its port for workers and for clients
of others. A daemon whose workers are all on this host listens on loopback, until a run wants others."""

import asyncio
import os
import socket
from collections.abc import Mapping

from dfm.config.config import DaemonConfig
from dfm.config.state_folder import StateFolder
from dfm.errors import DaemonError
from dfm_daemon.shell import addresses
from dfm_daemon.shell.addresses import Address
from dfm_daemon.shell.door import Admit, Door
from dfm_daemon.shell.guards import Guard, UserGuard


class Doors:
    """`uids`: who may use the socket; `halls`: who receives which kind of peer."""

    def __init__(
        self,
        state: StateFolder,
        config: DaemonConfig,
        uids: frozenset[int],
        halls: Mapping[str, Admit],
        *,
        is_local: bool,
    ) -> None:
        self.socket_path = ""
        self.addresses: list[Address] = []
        self.port = 0
        self.is_for_others = uids != {os.geteuid()}
        self._state = state
        self._config = config
        self._uids = uids
        self._halls = halls
        self._is_local = is_local
        self._guard: Guard | None = None
        self._group: asyncio.TaskGroup | None = None
        self._doors: list[Door] = []
        self._serving: list[asyncio.Task[None]] = []

    def open(self, guard: Guard) -> None:
        """Listens. `guard` stands at the port. Raises DaemonError."""
        self._guard = guard
        unix, self.socket_path = self._listen_for_clients()
        self._doors.append(Door(unix, UserGuard(self._uids), self._halls))
        self.port = self._listen_for_peers()

    def serve(self, group: asyncio.TaskGroup) -> None:
        """Lets peers in, until `close`."""
        self._group = group
        self._serving += [group.create_task(door.serve()) for door in self._doors]

    def open_to_hosts(self) -> bool:
        """Workers on other hosts are wanted. True if peers find the daemon elsewhere, too, from now on.
        Raises DaemonError."""
        if not self._is_local or self._config.bind:
            return False
        assert self._group is not None
        self._is_local = False
        self._listen_for_peers()
        self._serving.append(self._group.create_task(self._doors[-1].serve()))
        return True

    def close(self) -> None:
        for task in self._serving:
            task.cancel()

    def _listen_for_peers(self) -> int:
        assert self._guard is not None
        config, is_local = self._config, self._is_local
        listener = addresses.listen(config, is_local=is_local)
        more = addresses.of(listener, config.advertise, is_local=is_local)
        self.addresses = list(dict.fromkeys([*self.addresses, *more]))
        self._doors.append(Door(listener, self._guard, self._halls))
        return int(listener.getsockname()[1])

    def _listen_for_clients(self) -> tuple[socket.socket, str]:
        """In the project if its path is short enough and its filesystem takes sockets."""
        for in_project in (True, False):
            path = self._state.socket_path(
                os.environ, in_project=in_project, for_others=self.is_for_others
            )
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                listener.bind(path)  # under the umask of this process: 0600
                if self.is_for_others:
                    os.chmod(path, 0o666)  # the door asks who it is
                listener.listen(128)
            except OSError as error:
                listener.close()
                if not in_project:
                    raise DaemonError(f"cannot listen on {path}: {error.strerror}") from error
            else:
                return listener, path
        raise AssertionError
