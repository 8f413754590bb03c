"""`python -m tests.cluster up|down`: a cluster to look around in, below .cluster/ of this folder."""

import os
import sys
from pathlib import Path

from tests.cluster import slurm
from tests.cluster.lsf.lsf import BIN, Lsf

FOLDER = Path(".cluster").absolute()


def main(words: list[str]) -> int:
    if words == ["down"]:
        slurm.remove(FOLDER)
        return 0
    if words != ["up"]:
        print("usage: python -m tests.cluster up|down", file=sys.stderr)
        return 2
    reason = slurm.unavailable()
    if reason:
        print(f"no Slurm: {reason}", file=sys.stderr)
        return 1
    slurm.remove(FOLDER)
    made = slurm.Slurm(folder=FOLDER)
    made.start()
    print(made.run("sinfo"))
    print("\nexport", f"SLURM_CONF={FOLDER}/slurm.conf")
    print("export", f"LSF_ENVDIR={Lsf(made).folder}", f"PATH={BIN}:$PATH")
    return 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main(sys.argv[1:]))
