"""What stands for LSF's daemons on the execution host: starts a job, watches it, ends it, reports it.

It is the batch script of a Slurm job. The job that it starts knows nothing of Slurm. Run as a file,
with the standard library alone.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_LOOK_S = 0.5  # at memory, and at a job whose children outlive its shell
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
_WATCHED = {signal.SIGCHLD, signal.SIGUSR1, signal.SIGINT, signal.SIGTERM}
_RUN_LIMIT = "TERM_RUNLIMIT: job killed after reaching LSF run time limit"
_MEMORY_LIMIT = "TERM_MEMLIMIT: job killed after reaching LSF memory usage limit"


class Job:
    """One job on this host, from its start to its end record."""

    def __init__(self, spec: Path) -> None:
        self.about: dict[str, Any] = json.loads(spec.read_text())
        self.lsf = spec.parent.parent
        self.site: dict[str, Any] = json.loads((self.lsf / "site.json").read_text())
        self.index = os.environ.get("SLURM_ARRAY_TASK_ID", "0") if self.about["is_array"] else "0"
        self.id = os.environ.get("SLURM_ARRAY_JOB_ID") or os.environ["SLURM_JOB_ID"]
        self.full_id = f"{self.id}[{self.index}]" if self.about["is_array"] else self.id
        self.file = self.lsf / "spool" / f"{time.time():.0f}.{self.id}.{self.index}"
        self.host = os.environ["SLURMD_NODENAME"]
        self.reason = ""
        self.steps: list[tuple[float, signal.Signals]] = []  # of its end, when due
        self.began = time.monotonic()
        self._kill_record = self.lsf / "kills" / f"{self.id}.{self.index}"

    def run(self) -> int:
        """Returns the exit status of the job as its shell would."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)  # what is ignored cannot be waited for
        direct = self.site["stdout_direct"]
        out = self._named(self.about["out"]) if direct else f"{self.file}.out"
        err = self._named(self.about["err"]) if direct else f"{self.file}.err"
        with _opened(out, self.about["appends"]) as stdout:
            stderr = _opened(err, self.about["appends"]) if self.about["err"] else stdout
            status = self._execute(stdout, stderr)
        if not direct:
            self._deliver(out, err, status)
        self._record(status)
        return status

    def _execute(self, stdout: Any, stderr: Any) -> int:
        folder = self.about["cwd"]
        if not os.path.isdir(folder):
            if self.about["is_down_if_cwd_missing"]:
                self.reason = "TERM_CWD_NOTEXIST: current working directory is not accessible"
                return 2
            folder = "/tmp"
        command = self.about["command"]
        words = ["/bin/sh", "-c", command]
        if self.about["is_script"]:
            script = Path(f"{self.file}.sh")
            script.write_text(command)
            shell = command.splitlines()[0][2:].split() if command.startswith("#!") else ["/bin/sh"]
            words = [*shell, str(script)]
        shell = subprocess.Popen(
            words, cwd=folder, env=self._environment(folder), stdin=subprocess.DEVNULL,
            stdout=stdout, stderr=stderr, start_new_session=True,
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, ()),
        )  # fmt: skip
        if self._kill_record.exists():
            self._hear()
        while shell.poll() is None:
            self._watch(shell.pid)
        try:
            os.killpg(shell.pid, signal.SIGKILL)  # what left this group may survive, as on LSF
        except ProcessLookupError:
            pass
        return 128 - shell.returncode if shell.returncode < 0 else shell.returncode

    def _watch(self, shell: int) -> None:
        """Until something happens, or a limit or a step of the end is due."""
        now = time.monotonic()
        due = [at - now for at, _ in self.steps]
        limit_s = self.about["minutes"] * self.site["minute_s"]
        if limit_s and not self.reason:
            due.append(self.began + limit_s - now)
        wait_s = min([*due, _LOOK_S if self.about["memory_kb"] else 60.0])
        caught = signal.sigtimedwait(_WATCHED, max(0.0, wait_s))
        if caught and caught.si_signo == signal.SIGUSR1:
            self._hear()
        now = time.monotonic()
        if limit_s and not self.reason and now >= self.began + limit_s:
            self.reason = _RUN_LIMIT
            self._send(signal.SIGUSR2)
            self._end(now + self.site["run_limit_grace_s"])
        enforces = self.about["memory_kb"] and self.site["enforces_memory"]
        if enforces and not self.reason and self._memory_kb() > self.about["memory_kb"]:
            self.reason = _MEMORY_LIMIT
            self._end(now)
        while self.steps and self.steps[0][0] <= now:
            self._send(self.steps.pop(0)[1])

    def _hear(self) -> None:
        """What bkill wrote down before it sent the signal."""
        asked = json.loads(self._kill_record.read_text())
        if asked["signal"]:
            self._send(signal.Signals[asked["signal"]])
        elif not self.steps:
            self.reason = asked["reason"]
            self._end(time.monotonic())

    def _end(self, at: float) -> None:
        """SIGINT, SIGTERM, SIGKILL, with the site's interval between them."""
        interval_s = self.site["terminate_interval_s"]
        self.steps = [(at + number * interval_s, sent) for number, sent in enumerate(_ENDING)]

    def _processes(self) -> list[int]:
        """All of the job, wherever they went: their environments say whose they are."""
        mark = f"LSB_JOBFILENAME={self.file}\0".encode()
        found = []
        for name in os.listdir("/proc"):
            try:
                if name.isdigit() and mark in Path(f"/proc/{name}/environ").read_bytes():
                    found.append(int(name))
            except OSError:
                pass
        return found

    def _send(self, number: signal.Signals) -> None:
        for pid in self._processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def _memory_kb(self) -> int:
        total = 0
        for pid in self._processes():
            try:
                lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
        return total

    def _environment(self, folder: str) -> dict[str, str]:
        wanted = self.about["env"]
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SLURM", "LSB_", "SBATCH_")) and name not in wanted["drop"]
        }
        if not wanted["all"]:
            kept = {*wanted["keep"], "HOME", "USER", "LOGNAME", "PATH", "SHELL", "LSF_ENVDIR"}
            inherited = {name: value for name, value in inherited.items() if name in kept}
        slots = self.about["slots"]
        return {
            **inherited,
            **wanted["set"],
            "LSB_JOBID": self.id,
            "LSB_JOBINDEX": self.index,
            "LSB_BATCH_JID": self.full_id,
            "LSB_JOBNAME": self.about["name"] + (f"[{self.index}]" if self.index != "0" else ""),
            "LSB_QUEUE": self.about["queue"],
            "LSB_HOSTS": " ".join([self.host] * slots),
            "LSB_MCPU_HOSTS": f"{self.host} {slots}",
            "LSB_DJOB_NUMPROC": str(slots),
            "LSB_PROJECT_NAME": self.about["project"],
            "LSB_SUB_HOST": os.uname().nodename,
            "LSB_JOBFILENAME": str(self.file),
            "LSB_EFFECTIVE_RSRCREQ": self.about["requirement"],
            "LSB_OUTPUTFILE": self._named(self.about["out"]),
            "LS_SUBCWD": self.about["submit_dir"],
            "LS_EXECCWD": folder,
            "LS_JOBPID": str(os.getpid()),
            "LSB_JOBRES_PID": str(os.getpid()),
            "LSF_ENVDIR": str(self.lsf),
            "LSF_INVOKE_CMD": "bsub",
            **({"LSB_RESTART": "Y"} if "SLURM_RESTART_COUNT" in os.environ else {}),
        }

    def _named(self, pattern: str) -> str:
        path = str(pattern).replace("%J", self.id).replace("%I", self.index)
        if path.endswith("/"):
            os.makedirs(path, exist_ok=True)
            path += f"{self.id}.out"
        return os.path.join(self.about["submit_dir"], path) if path else os.devnull

    def _record(self, status: int) -> None:
        end = self.lsf / "ends" / f"{self.id}.{self.index}"
        text = json.dumps({"status": status, "reason": self.reason, "at": time.time()})
        end.with_name(f".{end.name}").write_text(text)
        end.with_name(f".{end.name}").replace(end)

    def _deliver(self, out: str, err: str, status: int) -> None:
        """The output appears now, behind the report of the job."""
        for source, pattern in ((out, self.about["out"]), (err, self.about["err"])):
            if pattern:
                try:
                    with open(self._named(pattern), "ab" if self.about["appends"] else "wb") as to:
                        to.write(self._report(status).encode() if source == out else b"")
                        with open(source, "rb") as file:
                            shutil.copyfileobj(file, to)
                except OSError:
                    pass  # then it comes by mail, or not at all
            Path(source).unlink(missing_ok=True)

    def _report(self, status: int) -> str:
        job = f"Job {self.id}[{self.index}]" if self.about["is_array"] else f"Job {self.id}"
        ended = "Successfully completed." if not status else f"Exited with exit code {status}."
        return (
            f"Sender: LSF System <lsfadmin@{self.host}>\n"
            f"Subject: {job}: <{self.about['name']}> in cluster <dfm> {'Done' if not status else 'Exited'}\n\n"
            f"Job <{self.about['name']}> was submitted from host <{os.uname().nodename}> by user"
            f" <{self.about['user']}> in cluster <dfm>\n"
            f"Job was executed on host(s) <{self.host}>, in queue <{self.about['queue']}>\n\n"
            f"Your job looked like:\n\n# LSBATCH: User input\n{self.about['command']}\n\n"
            + (f"{self.reason}.\n" if self.reason else "")
            + f"{ended}\n\nThe output (if any) follows:\n\n"
        )


def _opened(path: str, appends: bool) -> Any:
    try:
        return open(path, "ab" if appends else "wb")
    except OSError:
        return open(os.devnull, "wb")


if __name__ == "__main__":
    sys.exit(Job(Path(sys.argv[1])).run())
