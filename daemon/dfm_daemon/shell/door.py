"""Where peers come in: accepts connections, and lets in who proves in time that it may.

Strangers cost a bounded amount of memory for a bounded time, and one line of the log per address.
"""

import asyncio
import logging
import socket
import ssl
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from dfm.link import Link
from dfm_daemon.shell.guards import Guard, Stranger, peer_uid

log = logging.getLogger(__name__)

HELLO_S = 10.0  # from the connection to the hello
_PATIENCE_S = 3.0  # of which so much is everybody's; then others may need the place
_CROWD = 64  # of one address; where there are more, each of them has
_CROWD_PATIENCE_S = 0.5  # only so much
_AT_THE_DOOR = 256  # connections that have not said hello
_REMEMBERED = 1000  # addresses whose strangers were logged

Admit = Callable[[Link, Any], None]  # a link, and its hello
_Places = OrderedDict[asyncio.Timeout, float]  # whose patience ends when, and since when it waits


class Door:
    """One listening socket. `halls` has, for each role, who is called with a link of that role whose
    peer has said hello."""

    def __init__(self, listener: socket.socket, guard: Guard, halls: Mapping[str, Admit]) -> None:
        self._listener = listener
        self._guard = guard
        self._halls = halls
        self._free = asyncio.Semaphore(_AT_THE_DOOR)
        self._waiting: dict[str, _Places] = {}  # by address
        self._logged: set[str] = set()

    async def serve(self) -> None:
        """Until it is cancelled."""
        self._listener.setblocking(False)
        loop = asyncio.get_running_loop()
        trouble = ""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._find_place()
                try:
                    connection, address = await loop.sock_accept(self._listener)
                except OSError as error:  # it was gone again, or we have no descriptors left
                    self._free.release()
                    if str(error) != trouble:
                        trouble = str(error)
                        log.warning("cannot accept a connection: %s", error)
                    await asyncio.sleep(0.1)
                    continue
                trouble = ""
                group.create_task(self._let_in(connection, address))
                await asyncio.sleep(0)  # until its time has begun

    async def _find_place(self) -> None:
        """Waits for a place. If there is none, whoever has had one for longest has to hurry, of the
        address that has the most: a crowd that says nothing keeps nobody out for long."""
        if self._free.locked():
            crowd = max(self._waiting.values(), key=len)
            oldest, since = next(iter(crowd.items()))
            patience = _CROWD_PATIENCE_S if len(crowd) > _CROWD else _PATIENCE_S
            if not oldest.expired():
                oldest.reschedule(since + min(patience, HELLO_S))
        await self._free.acquire()

    async def _let_in(self, connection: socket.socket, address: Any) -> None:
        peer = _name(connection, address)
        patience = asyncio.timeout(HELLO_S)
        places = self._waiting.setdefault(peer, OrderedDict())
        places[patience] = asyncio.get_running_loop().time()
        try:
            async with patience:
                await self._meet(connection, peer)
        except TimeoutError:
            self._strange(peer, "did not say in time who it is")
        except (Stranger, OSError, ssl.SSLError) as error:
            self._strange(peer, str(error) or "it broke the connection off")  # asyncio has no words
        except Exception:  # the door stays open, whatever one peer does
            log.exception("a fault of dfm, with the peer at %s", peer)
        finally:
            del places[patience]
            if not places:
                del self._waiting[peer]
            self._free.release()

    async def _meet(self, connection: socket.socket, peer: str) -> None:
        arrived = None
        try:
            arrived = await self._guard.let_through(connection, peer)
            self._halls[arrived.role](arrived.link, await arrived.link.first)
        except BaseException:
            if arrived is not None:
                arrived.link.cut("it did not come in")
            connection.close()
            raise

    def _strange(self, peer: str, why: str) -> None:
        if peer in self._logged or len(self._logged) >= _REMEMBERED:
            return
        self._logged.add(peer)
        log.warning("refused a stranger at %s: %s (said once per address)", peer, why)
        if len(self._logged) == _REMEMBERED:
            log.warning("strangers at %d addresses: those at others are not logged", _REMEMBERED)


def _name(connection: socket.socket, address: Any) -> str:
    if connection.family == socket.AF_UNIX:
        return f"uid {peer_uid(connection)}"
    return str(address[0])
