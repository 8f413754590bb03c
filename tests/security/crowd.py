"""A crowd of strangers at a TCP port: `python -m tests.security.crowd PORT COUNT FOREIGN_PEM`.

Prints, as JSON, how many of each kind were cut off, and how long the last of them was borne with.
"""

import asyncio
import json
import os
import random
import ssl
import struct
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import uvloop

AT_ONCE = 400
_PATIENCE_S = 120.0
_LOST = (OSError, ssl.SSLError)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Crowd:
    """All strangers, of all kinds in turn."""

    def __init__(self, port: int, foreign: str) -> None:
        self._port = port
        self._foreign = foreign
        self._places = asyncio.Semaphore(AT_ONCE)
        self.cut_off: Counter[str] = Counter()
        self.longest_s: dict[str, float] = {}

    async def come(self, count: int) -> None:
        kinds: list[tuple[str, Callable[[], Awaitable[Streams]]]] = [
            ("half-open", lambda: self._plain(b"")),
            ("garbage", lambda: self._plain(random.randbytes(2000))),
            ("2 GiB", lambda: self._plain(struct.pack(">I", 2**31 - 1) + b"x" * 100)),
            ("one byte a second", self._slow),
            ("no secret", lambda: self._tls(None)),
            ("wrong secret", lambda: self._tls(self._foreign)),
            ("wrong proof", lambda: self._plain(b"dfm\x01w" + random.randbytes(32 + 32))),
            ("frame without TLS", lambda: self._plain(b"\x00\x00\x00\x03\x93\x01\x02")),
            (
                "TLS that stops",
                lambda: self._plain(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
            ),
        ]
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                await self._places.acquire()
                group.create_task(self._one(*kinds[number % len(kinds)]))

    async def _one(self, kind: str, connect: Callable[[], Awaitable[Streams]]) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                with suppress(*_LOST):
                    reader, writer = await connect()
                    try:
                        await reader.read()
                    finally:
                        writer.transport.abort()
            self.cut_off[kind] += 1
            self.longest_s[kind] = max(
                self.longest_s.get(kind, 0.0), round(time.monotonic() - began, 1)
            )
        finally:
            self._places.release()

    async def _plain(self, data: bytes) -> Streams:
        streams = await asyncio.open_connection("127.0.0.1", self._port)
        streams[1].write(data)
        return streams

    async def _slow(self) -> Streams:
        reader, writer = await self._plain(b"")
        with suppress(*_LOST):
            for byte in b"\x16\x03\x01" + bytes(60):
                writer.write(bytes([byte]))
                with suppress(TimeoutError):
                    if not await asyncio.wait_for(reader.read(1), 1):
                        break
        return reader, writer

    async def _tls(self, pem: str | None) -> Streams:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if pem is not None:
            context.load_cert_chain(pem)
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, ssl=context)
        writer.write(os.urandom(100))
        return reader, writer


async def _main(port: int, count: int, foreign: str) -> None:
    crowd = Crowd(port, foreign)
    began = time.monotonic()
    await crowd.come(count)
    sys.stdout.write(json.dumps({"cut_off": crowd.cut_off, "longest_s": crowd.longest_s,
                      "wall_s": round(time.monotonic() - began, 1)}))  # fmt: skip


if __name__ == "__main__":
    uvloop.run(_main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
