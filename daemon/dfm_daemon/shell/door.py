"""Where peers come in: accepts connections, and lets in who proves in time that it may.

Strangers cost a bounded amount of memory for a bounded time, and one line of the log per address.
"""

import asyncio
import logging
import socket
import ssl
import struct
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from dfm.link import Link
from dfm.wire.codec import Catalogue

log = logging.getLogger(__name__)

HELLO_S = 10.0  # from the connection to the hello
_PATIENCE_S = 3.0  # of which so much is everybody's; then others may need the place
_AT_THE_DOOR = 256  # connections that have not said hello
_REMEMBERED = 1000  # addresses whose strangers were logged

Admit = Callable[[Link, Any], None]  # a link, and its hello


class Door:
    """One listening socket. `admit` is called with each link whose peer has said hello."""

    def __init__(
        self,
        listener: socket.socket,
        catalogue: Catalogue,
        admit: Admit,
        *,
        tls: ssl.SSLContext | None = None,
        only_uid: int | None = None,
    ) -> None:
        self._listener = listener
        self._catalogue = catalogue
        self._admit = admit
        self._tls = tls
        self._only_uid = only_uid
        self._places = asyncio.Semaphore(_AT_THE_DOOR)
        self._guests: OrderedDict[asyncio.Timeout, float] = OrderedDict()  # and since when
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
                    self._places.release()
                    if str(error) != trouble:
                        trouble = str(error)
                        log.warning("cannot accept a connection: %s", error)
                    await asyncio.sleep(0.1)
                    continue
                trouble = ""
                group.create_task(self._let_in(connection, address))
                await asyncio.sleep(0)  # until its time has begun

    async def _find_place(self) -> None:
        """Waits for a place. If there is none, whoever has had one for longest has to hurry: a crowd
        that says nothing must not keep workers out for as long as they try to come in."""
        if self._places.locked():
            oldest, since = next(iter(self._guests.items()))
            if not oldest.expired():
                oldest.reschedule(since + min(_PATIENCE_S, HELLO_S))
        await self._places.acquire()

    async def _let_in(self, connection: socket.socket, address: Any) -> None:
        peer = _name(connection, address)
        patience = asyncio.timeout(HELLO_S)
        self._guests[patience] = asyncio.get_running_loop().time()
        try:
            async with patience:
                await self._meet(connection, peer)
        except TimeoutError:
            self._strange(peer, "did not say in time who it is")
        except (OSError, ssl.SSLError) as error:
            self._strange(peer, str(error))
        except Exception:  # the door stays open, whatever one peer does
            log.exception("a fault of dfm, with the peer at %s", peer)
        finally:
            del self._guests[patience]
            self._places.release()

    async def _meet(self, connection: socket.socket, peer: str) -> None:
        if self._only_uid is not None and _uid(connection) != self._only_uid:
            self._strange(peer, f"uid {_uid(connection)} may not use this socket")
            connection.close()
            return
        loop = asyncio.get_running_loop()
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(self._catalogue, peer)
        transport = None
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: link, connection, ssl=self._tls
            )
            self._admit(link, await link.first)
        except BaseException:
            if transport is not None:
                transport.abort()
            else:
                connection.close()
            raise

    def _strange(self, peer: str, why: str) -> None:
        if peer in self._logged:
            return
        if len(self._logged) < _REMEMBERED:
            self._logged.add(peer)
            log.warning("refused a stranger at %s: %s (said once per address)", peer, why)


def _name(connection: socket.socket, address: Any) -> str:
    if connection.family == socket.AF_UNIX:
        return f"uid {_uid(connection)}"
    return str(address[0])


def _uid(connection: socket.socket) -> int:
    """Of the process at the other end: unix(7), SO_PEERCRED."""
    credentials = connection.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
    )
    return int(struct.unpack("3i", credentials)[1])
