"""Dask distributed (https://distributed.dask.org): two workers of one thread."""

from distributed import Client, LocalCluster

from bench.peers.work import measure, shell


def main() -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):

        def many(count: int) -> None:
            client.gather([client.submit(shell, pure=False) for _ in range(count)])

        measure(many, lambda: client.submit(shell, pure=False).result())


if __name__ == "__main__":  # its workers import this file
    main()
