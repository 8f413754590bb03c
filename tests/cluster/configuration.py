"""The configuration of a Slurm whose nodes are all virtual and all on this host.

Nodes claim more CPUs and memory than the machine has (`config_overrides`); what jobs run is real.
No database, no cgroups, no systemd. Debian builds slurmd with support for several on one host.
"""

import getpass
import random
import socket
from pathlib import Path
from typing import NamedTuple

_PORTS = range(20000, 30000)  # below those that the kernel hands out to connections


class Plan(NamedTuple):
    """What a cluster has."""

    nodes: int = 4
    cpus: int = 16
    memory_mib: int = 64000  # of each node
    min_job_age_s: int = 3600  # a job that ended is known for so long
    kill_wait_s: int = 5  # between SIGTERM and SIGKILL
    slurmd_timeout_s: int = 10  # until a silent node counts as down

    @property
    def names(self) -> list[str]:
        return [f"node{number}" for number in range(1, self.nodes + 1)]


def write(folder: Path, plan: Plan) -> None:
    """Makes slurm.conf and what it names below `folder`. Nobody else listens on its ports now."""
    for name in ("state", *(f"spool/{node}" for node in plan.names)):
        (folder / name).mkdir(parents=True)
    (folder / "slurm.conf").write_text(_slurm_conf(folder, plan, _free_ports(plan.nodes + 1)))
    # Any cgroup plugin but this one needs a cgroup filesystem, or systemd.
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    (folder / "gres.conf").write_text(f"NodeName=node[1-{plan.nodes}] Name=emulator Count=2\n")


def _slurm_conf(folder: Path, plan: Plan, ports: list[int]) -> str:
    host, user = socket.gethostname().split(".")[0], getpass.getuser()
    return f"""\
ClusterName=dfm
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,default_queue_depth=5000,bf_interval=1,bf_continue
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=1000
SlurmdParameters=config_overrides
SlurmdTimeout={plan.slurmd_timeout_s}
KillWait={plan.kill_wait_s}
MinJobAge={plan.min_job_age_s}
MaxJobCount=50000
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
GresTypes=emulator
Licenses=vcs:4
NodeName=node[1-{plan.nodes}] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{ports[1]}-{ports[-1]}] CPUs={plan.cpus} Boards=1 SocketsPerBoard=1 CoresPerSocket={plan.cpus} ThreadsPerCore=1 RealMemory={plan.memory_mib} Feature=x86,rhel8 Gres=emulator:2
PartitionName=normal Nodes=ALL Default=YES DefaultTime=60 MaxTime=7-0 PriorityTier=10 PreemptMode=OFF State=UP
PartitionName=short Nodes=ALL DefaultTime=5 MaxTime=10 PriorityTier=10 PreemptMode=OFF State=UP
PartitionName=spare Nodes=ALL DefaultTime=60 MaxTime=7-0 PriorityTier=1 PreemptMode=CANCEL State=UP
PartitionName=closed Nodes=ALL State=DOWN
"""


def _free_ports(number: int) -> list[int]:
    """So many in a row."""
    while True:
        first = random.choice(_PORTS)
        ports = list(range(first, first + number))
        if all(_is_free(port) for port in ports):
            return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
