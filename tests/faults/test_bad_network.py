"""Workers whose connections break time and again, in the middle of whatever is said."""

import random
import socket
from collections import Counter

from tests.faults.conftest import FAILS, IS_SOAK, Site
from tests.faults.proxy import Proxy

TASKS = 2000 if IS_SOAK else 120


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_connections_that_break_lose_nothing_and_nothing_runs_twice(
    site: Site, dice: random.Random
) -> None:
    port = free_port()
    config = f"runner: {{daemon: {{advertise: [127.0.0.2], worker_port: {port}}}}}\n"
    site.prepare(TASKS, sleep_s=0.05, config=config)
    proxy = Proxy(dice, "127.0.0.2", "127.0.0.1", port)
    try:
        site.start_daemon(4)
        done = site.end(site.start("run", "all", "-k", "-u", "log"))
        assert done.status == 1, done
        assert proxy.cut_count > 0
        counts = done.counts()
        assert (counts["done"], counts["failed"]) == (TASKS - TASKS // FAILS, TASKS // FAILS), done
        assert not {task: times for task, times in Counter(site.ran()).items() if times > 1}
        site.check_verdicts()
        site.ok("daemon", "stop")
        site.check_nothing_is_left()
    finally:
        proxy.close()
