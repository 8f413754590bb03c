"""A network that is bad: between workers and their daemon bytes come late, in pieces, or no more."""

import contextlib
import random
import select
import socket
import threading

_READ = 4096
_STEP_S = 0.02


class Proxy:
    """Listens on one loopback address, and passes all on to the same port of another."""

    def __init__(self, dice: random.Random, here: str, there: str, port: int) -> None:
        self.cut_count = 0
        self._dice = dice
        self._there = (there, port)
        self._listener = socket.create_server((here, port))
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def close(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._is_over.is_set():
            if not select.select([self._listener], [], [], _STEP_S)[0]:
                continue
            near, _ = self._listener.accept()
            seed = self._dice.random()
            self._threads.append(threading.Thread(target=self._pass_on, args=(near, seed)))
            self._threads[-1].start()

    def _pass_on(self, near: socket.socket, seed: float) -> None:
        dice = random.Random(seed)
        with contextlib.ExitStack() as stack:
            stack.enter_context(near)
            try:
                far = stack.enter_context(socket.create_connection(self._there))
                left = dice.expovariate(1 / 8_000)  # bytes that this connection lives for
                while left > 0 and not self._is_over.is_set():
                    for source in select.select([near, far], [], [], _STEP_S)[0]:
                        data = source.recv(_READ)
                        if not data:
                            return
                        left -= len(data)
                        self._send(far if source is near else near, data, dice)
            except OSError:
                return
            if not self._is_over.is_set():
                self.cut_count += 1

    def _send(self, target: socket.socket, data: bytes, dice: random.Random) -> None:
        target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        size = dice.choice((1, 7, len(data), len(data)))
        self._is_over.wait(dice.choice((0.0, 0.0, 0.01)))
        for start in range(0, len(data), size):
            target.sendall(data[start : start + size])
