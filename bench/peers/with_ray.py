"""Ray (https://docs.ray.io): two workers of one core."""

import ray

from bench.peers.work import measure, shell


def main() -> None:
    ray.init(num_cpus=2, _node_ip_address="127.0.0.1", include_dashboard=False, log_to_driver=False)
    remote = ray.remote(num_cpus=1)(shell)

    def many(count: int) -> None:
        ray.get([remote.remote() for _ in range(count)])

    measure(many, lambda: ray.get(remote.remote()))
    ray.shutdown()


main()
