"""Parsl (https://parsl-project.org) with its HighThroughputExecutor, of two workers."""

import parsl
from parsl.config import Config
from parsl.executors import HighThroughputExecutor
from parsl.providers import LocalProvider

from bench.peers.work import measure, shell


def main() -> None:
    provider = LocalProvider(init_blocks=1, max_blocks=1)
    executor = HighThroughputExecutor(
        address="127.0.0.1", max_workers_per_node=2, provider=provider
    )
    app = parsl.python_app(shell)
    with parsl.load(Config(executors=[executor], usage_tracking=0)):

        def many(count: int) -> None:
            for future in [app() for _ in range(count)]:
                future.result()

        measure(many, lambda: many(1))


main()
