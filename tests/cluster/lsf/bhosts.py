"""`bhosts`: the hosts and whether they take jobs."""

import subprocess

from tests.cluster.lsf.jobs import all_jobs
from tests.cluster.lsf.site import Refused, reach

_STATUS = {
    "idle": "ok",
    "mix": "ok",
    "alloc": "closed_Full",
    "drain": "closed_Adm",
    "drng": "closed_Adm",
}


def main(words: list[str]) -> int:
    for word in words:
        if word.startswith("-") and word != "-w":
            raise Refused(f"bhosts: illegal option -- {word.lstrip('-')}")
    site = reach()
    jobs = [job for job in all_jobs(site) if not job.is_over]
    done = subprocess.run(
        ["sinfo", "-h", "-N", "-p", "normal", "-o", "%N %t"], capture_output=True, text=True
    )
    print("HOST_NAME          STATUS       JL/U    MAX  NJOBS    RUN  SSUSP  USUSP    RSV")
    for line in done.stdout.splitlines():
        host, state = line.split()
        mine = [job for job in jobs if job.host == host]
        slots = sum(job.about["slots"] for job in mine if job.stat == "RUN")
        status = "unreach" if state.endswith("*") else _STATUS.get(state, "unavail")
        print(
            f"{host:<18} {status:<12}    - {site.slots:6} {slots:6} {slots:6}      0      0      0"
        )
    return 0
