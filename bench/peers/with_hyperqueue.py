"""HyperQueue (https://it4innovations.github.io/hyperqueue): server and worker in this process.

Its client asks once a second whether a job is over, so the tasks say it themselves: `echo`, as cheap
as `true`, into a pipe.
"""

import os
from pathlib import Path

from hyperqueue import Job
from hyperqueue.cluster import LocalCluster, WorkerConfig

from bench.peers.work import measure


def main() -> None:
    pipe = Path("ends").absolute()
    os.mkfifo(pipe)
    ends = os.open(pipe, os.O_RDWR)
    with LocalCluster(server_dir=str(Path("server").absolute())) as cluster:
        cluster.start_worker(WorkerConfig(cores=2))
        client = cluster.client()

        def many(count: int) -> None:
            job = Job()
            for _ in range(count):
                job.program(["sh", "-c", f"echo >{pipe}"], stdout=None, stderr=None)
            client.submit(job)
            while count > 0:
                count -= len(os.read(ends, 4096))

        measure(many, lambda: many(1))


main()
