"""What goes wrong on a cluster, on demand."""

from datetime import datetime, timedelta

from tests.cluster import owned
from tests.cluster.slurm import Slurm


def kill_node(slurm: Slurm, node: str) -> None:
    """As if its power were cut: slurmd, slurmstepds and what jobs run there. Slurm notices in time."""
    owned.end_all(slurm.folder, node)


def declare_down(slurm: Slurm, node: str) -> None:
    """Slurm notices now."""
    slurm.run("scontrol", "update", f"nodename={node}", "state=down", "reason=test")


def drain(slurm: Slurm, node: str) -> None:
    """What runs there goes on, nothing more starts."""
    slurm.run("scontrol", "update", f"nodename={node}", "state=drain", "reason=test")


def suspend(slurm: Slurm, job: str) -> None:
    """Its processes are stopped, their connections stay open and silent."""
    slurm.run("scontrol", "suspend", job)


def resume(slurm: Slurm, job: str) -> None:
    slurm.run("scontrol", "resume", job)


def end_in(slurm: Slurm, job: str, seconds: int) -> None:
    """Its time is up then; Slurm looks every 30 s."""
    end = datetime.now() + timedelta(seconds=seconds)
    slurm.run("scontrol", "update", f"jobid={job}", f"EndTime={end:%Y-%m-%dT%H:%M:%S}")
