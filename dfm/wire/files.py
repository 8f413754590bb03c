"""How the files of a task are called that dfm itself writes into its run directory (section 32).

They have a stem in common. An empty one is for a directory that has the files of one task only.
"""


def log_name(stem: str) -> str:
    return f"{stem}.log" if stem else "run.log"


def script_name(stem: str) -> str:
    return f"{stem}_cmd.sh" if stem else "cmd.sh"


def record_name(stem: str) -> str:
    return f"{stem}.exec_data.json" if stem else "exec_data.json"
