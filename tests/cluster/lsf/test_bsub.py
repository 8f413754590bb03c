"""bsub takes and refuses what the documentation of LSF 10.1 says, in its words."""

from pathlib import Path

import pytest

from tests.cluster.lsf.lsf import Lsf

pytestmark = pytest.mark.slurm


def run(lsf: Lsf, *words: str, stdin: str = "", **more: str) -> str:
    """The id of a job that was accepted."""
    done = lsf.call("bsub", *words, stdin=stdin, **more)
    assert done.returncode == 0, done.stderr
    line = done.stdout.splitlines()[-1]
    assert line.startswith("Job <")
    return line.split("<")[1].split(">")[0]


def output(lsf: Lsf, *words: str, stdin: str = "", **more: str) -> str:
    """What a job printed, once it is over; without LSF's report."""
    out = lsf.slurm.folder / "out"
    out.unlink(missing_ok=True)
    lsf.set(stdout_direct=True)
    job = run(lsf, "-oo", str(out), *words, stdin=stdin, **more)
    lsf.slurm.until(lambda: lsf.stat(job) in ("DONE", "EXIT"), f"job {job} ends")
    return out.read_text()


def test_the_answer_names_the_queue_and_whether_it_was_chosen(lsf: Lsf) -> None:
    done = lsf.call("bsub", "true")
    assert done.stdout.endswith("> is submitted to default queue <normal>.\n")
    done = lsf.call("bsub", "-q", "closed night regr_high", "true")
    assert done.returncode == 0, "the first queue that fits"
    assert done.stdout.endswith("> is submitted to queue <regr_high>.\n")
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-q", "x"], "x: No such queue. Job not submitted."),
        (["-q", "night"], "night: Queue has been closed. Job not submitted."),
        (["-q", "admin"], "admin: User cannot use the queue. Job not submitted."),
        (["-W", "abc"], "abc: Bad RUNLIMIT specification. Job not submitted."),
        (["-W", "00:10:00"], "00:10:00: Bad RUNLIMIT specification. Job not submitted."),
        (["-q", "short", "-W", "16"], "RUNLIMIT: Cannot exceed queue's hard limit(s). Job not submitted."),
        (["-q", "short", "-M", "9GB"], "MEMLIMIT: Cannot exceed queue's hard limit(s). Job not submitted."),
        (["-n", "x"], "Bad argument for option -n. Job not submitted."),
        (["-n", "0"], "The number of processors must be a positive integer. Job not submitted."),
        (["-n", "65"], "Too many processors requested. Job not submitted."),
        (["-M", "x"], "x: MEMLIMT value should be a positive integer. Job not submitted."),
        (["-R", "select[mem>1] select[mem>2]"], 'Error near "select" : duplicate section. Job not submitted.'),
        (["-R", "select[]"], 'Error in select section: Expected number, string, name, or "(" but found end of section. Job not submitted.'),
        (["-R", "select[x86 & rhel8]"], "Error with <x86 & rhel8>: '&' cannot be used in the resource requirement section. Job not submitted."),
        (["-R", "rusage[mem=]"], 'Error in rusage section: Expected number, string, name, or "(" near <mem=>. Job not submitted.'),
        (["-zz"], "bsub: illegal option -- zz\nUsage: bsub [options] command"),
        (["-J", "a b"], "Bad job name. Job not submitted."),
        (["-J", "/a"], "Bad job name. Job not submitted."),
        (["-J", "a[0-3]"], "Bad job name. Job not submitted."),
        (["-J", "a[1-1001]"], "Job array index too large. Job not submitted."),
        (["-K"], "-K: this set of commands does not have it. Job not submitted."),
    ],
)  # fmt: skip
def test_a_refusal_has_no_answer_and_status_255(lsf: Lsf, words: list[str], text: str) -> None:
    done = lsf.call("bsub", *words, "true")
    assert (done.returncode, done.stdout, done.stderr.strip()) == (255, "", text)
    assert not lsf.slurm.jobs()


def test_without_a_command_there_is_no_job(lsf: Lsf) -> None:
    done = lsf.call("bsub", "-q", "normal")
    assert done.stderr.strip() == "No command is specified. Job not submitted."


def test_without_its_environment_no_command_works(lsf: Lsf) -> None:
    done = lsf.call("bsub", "true", LSF_ENVDIR="")
    assert done.returncode == 255
    assert done.stderr.startswith("lsb_init: ")


@pytest.mark.parametrize(
    "requirement",
    [
        "select[type==X64LIN && mem>4000 && os_version==RHEL8] rusage[mem=100:duration=10] span[hosts=1]",
        "select[(bigmem || rhel8) && hname!='host-01']",
        "type==any",
        "mem>100 rusage[mem=100MB,vcs=1]",
        "rusage[mem=100/job] span[ptile=4] same[model] order[ut]",
    ],
)
def test_requirements_of_the_documentation_are_taken(lsf: Lsf, requirement: str) -> None:
    run(lsf, "-R", requirement, "-R", "rusage[vcs=1]", "true")


def test_a_requirement_that_no_host_meets_pends(lsf: Lsf) -> None:
    job = run(lsf, "-R", "select[bigmem]", "true")
    assert lsf.stat(job) == "PEND"


def test_options_may_have_their_arguments_attached(lsf: Lsf) -> None:
    job = run(lsf, "-n4", "-W1:30", "-Jname", "sleep", "100")
    shown = lsf.call("bjobs", "-noheader", "-o", "job_name runtimelimit", job).stdout
    assert shown.split() == ["name", "90"]


def test_words_are_joined_to_a_line_of_shell(lsf: Lsf) -> None:
    assert output(lsf, "echo one; echo", "two") == "one\ntwo\n"
    assert output(lsf, "echo", "it's", "a  b") == "it's a  b\n"


def test_a_script_on_stdin_has_options_of_its_own(lsf: Lsf) -> None:
    script = (
        "#!/bin/bash\n#BSUB -q regr_high -n 2\necho $LSB_QUEUE $LSB_DJOB_NUMPROC $BASH_VERSION\n"
    )
    words = output(lsf, "-n", "3", stdin=script).split()
    assert words[:2] == ["regr_high", "3"], "the command line wins"
    assert len(words) == 3


def test_jobs_find_their_variables_and_nothing_of_slurm(lsf: Lsf) -> None:
    text = output(lsf, "-J", "a", "-P", "chip", "-n", "2", "env", SLURM_X="1", SITE="here")
    found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    assert found["LSB_JOBINDEX"] == "0"
    assert found["LSB_BATCH_JID"] == found["LSB_JOBID"]
    assert found["LSB_HOSTS"].split() == [found["LSB_HOSTS"].split()[0]] * 2
    assert found["LSB_MCPU_HOSTS"] == f"{found['LSB_HOSTS'].split()[0]} 2"
    assert (found["LSB_PROJECT_NAME"], found["LSB_JOBNAME"], found["SITE"]) == ("chip", "a", "here")
    assert not [name for name in found if name.startswith("SLURM")]


def test_what_env_names_travels_and_nothing_else(lsf: Lsf) -> None:
    script = 'echo "$A:$B:$C"'
    given = {"A": "1", "B": "2"}
    assert output(lsf, "-env", "none", script, **given) == "::\n"
    assert output(lsf, "-env", "all, ~A, C='x,y'", script, **given) == ":2:x,y\n"
    assert output(lsf, "-env", "A, C=3", script, **given) == "1::3\n"


def test_elements_of_an_array_know_their_index(lsf: Lsf, tmp_path: Path) -> None:
    job = run(lsf, "-J", "a[1-3,7]", "-o", f"{tmp_path}/%J.%I", "echo $LSB_BATCH_JID $LSB_JOBINDEX")
    wanted = {f"{job}.{index}" for index in (1, 2, 3, 7)}
    lsf.slurm.until(lambda: {path.name for path in tmp_path.iterdir()} == wanted, "all have ended")
    lsf.slurm.until(lambda: f"{job}[7] 7\n" in (tmp_path / f"{job}.7").read_text(), "it is written")


def test_output_appears_when_the_job_is_over_behind_a_report(lsf: Lsf, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("before\n")
    job = run(lsf, "-o", str(out), "-J", "j", "echo text; sleep 100")
    lsf.slurm.until(lambda: lsf.stat(job) == "RUN", "it runs")
    assert out.read_text() == "before\n"
    lsf.set(terminate_interval_s=0.2)
    lsf.call("bkill", job)
    lsf.slurm.until(lambda: "text\n" in out.read_text(), "the output appears")
    text = out.read_text()
    assert text.startswith("before\nSender: LSF System")
    assert text.index("The output (if any) follows:") < text.index("\ntext\n")


def test_a_folder_that_is_missing_is_replaced_by_tmp_unless_the_job_forbids_it(lsf: Lsf) -> None:
    assert output(lsf, "-cwd", "/nowhere", "pwd") == "/tmp\n"
    assert output(lsf, "-cwd", "/nowhere", "pwd", LSB_EXIT_IF_CWD_NOTEXIST="Y") == ""


def test_variables_of_the_submitter_change_the_answer(lsf: Lsf) -> None:
    assert lsf.call("bsub", "true", BSUB_QUIET="1").stdout == ""
    done = lsf.call("bsub", "true", BSUB_STDERR="1")
    assert done.stdout == ""
    assert done.stderr.startswith("Job <")
    done = lsf.call("bsub", "true", LSB_DEFAULTQUEUE="regr_high")
    assert "queue <regr_high>" in done.stdout


def test_a_site_says_no_prints_more_or_loses_its_answer(lsf: Lsf) -> None:
    with lsf.being(refuses="Not on Sundays."):
        done = lsf.call("bsub", "true")
        assert done.stderr == "Not on Sundays.\nRequest aborted by esub. Job not submitted.\n"
    with lsf.being(before=["Job is submitted to <chip> project."], after=["bye"]):
        lines = lsf.call("bsub", "true").stdout.splitlines()
        assert (lines[0], lines[2]) == ("Job is submitted to <chip> project.", "bye")
    with lsf.being(loses_answer="silent"):
        assert lsf.call("bsub", "-J", "mute", "sleep 100").stdout == ""
    assert lsf.call("bjobs", "-noheader", "-o", "jobid", "-J", "mute").stdout.strip().isdigit()


def test_while_it_is_down_commands_wait_or_give_up_after_their_tries(lsf: Lsf) -> None:
    with lsf.being(is_down=True):
        for words in (["bsub", "true"], ["bjobs"], ["bkill", "1"], ["bqueues"]):
            done = lsf.call(*words, LSB_NTRIES="2")
            assert done.returncode == 255
            assert done.stderr.count("LSF is down. Please wait ...") == 2
        assert lsf.call("lsid").stderr.strip() == "ls_getclustername: LIM is down; try later"
    assert "My cluster name is dfm" in lsf.call("lsid").stdout
