"""The text of a daemon's systemd unit: systemd.unit(5), systemd.service(5), systemd.exec(5).

Workers of the runner `local` are children of the service, and so are the tasks that they run. What
would change the meaning of a task is therefore left out: simulators call personality(2), 32-bit
tools are still around, set-group-ID folders are common, and tasks of two runs meet in /tmp. Of the
umask tasks notice nothing: each has that of the `dfm run` that asked for it.
"""

import hashlib
import os
import re
import shutil
import stat
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import NamedTuple

# What the commands of a batch system find their installation by; nothing that could be a secret.
_OF_THE_SITE = (
    r"PATH|LD_LIBRARY_PATH|LSF_(BINDIR|ENVDIR|LIBDIR|SERVERDIR)|SLURM_CONF|DFM_INSTALL_CONFIG"
)
_PASSED_ON_TO_OTHERS = re.compile(_OF_THE_SITE)
_PASSED_ON = re.compile(f"{_OF_THE_SITE}|DFM_RUNNER|XDG_CONFIG_HOME")
_HELPERS = ("bsub", "bjobs", "bkill", "sbatch", "squeue", "scancel")
_FOR_ALL = """\
UMask=0077
RestrictRealtime=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallFilter=~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap
SystemCallErrorNumber=EPERM"""
_WITHOUT_HELPERS = "NoNewPrivileges=yes"
_FOR_SYSTEM = """\
CapabilityBoundingSet=
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=full"""


class Service(NamedTuple):
    """What a unit is made for."""

    project: str
    user: str  # of a system unit: whom it runs as; empty: a unit of the user's own manager
    environ: Mapping[str, str]

    @property
    def name(self) -> str:
        """Of its file: for people, and different for each project."""
        word = re.sub(r"[^A-Za-z0-9_.-]+", "-", os.path.basename(self.project)).strip("-.")
        digest = hashlib.sha256(os.fsencode(os.path.realpath(self.project))).hexdigest()
        return f"dfm-{word or 'project'}-{digest[:8]}.service"


def text(service: Service) -> str:
    """The whole unit."""
    ordering = ""
    if service.user:
        ordering = (
            "Wants=network-online.target\nAfter=network-online.target remote-fs.target\n"
            f"RequiresMountsFor={_quoted(service.project)}"
        )
    filled = _template().format(
        project=_escaped(service.project),
        word=_word(service.project),
        ordering=ordering,
        user=f"User={service.user}" if service.user else "",
        environment="\n".join(_environment(service)),
        dfm=" ".join(map(_word, (sys.executable, "-P", "-m", "dfm"))),
        hardening=_hardening(service),
        target="multi-user.target" if service.user else "default.target",
    )
    return re.sub(r"\n\n+(?!\[)", "\n", filled)


def _hardening(service: Service) -> str:
    """In a user's manager, and with User=, a filter of system calls implies NoNewPrivileges."""
    helper = _setuid_helper(service.environ)
    if helper:
        return f"# Not hardened further: {helper} is set-user-ID, and could not do its work.\nRestrictRealtime=no"
    parts = [_WITHOUT_HELPERS, _FOR_ALL] + ([_FOR_SYSTEM] if service.user else [])
    return "\n".join(parts)


def _setuid_helper(environ: Mapping[str, str]) -> str:
    """A command of the batch system that changes its user, as the `eauth` of many LSFs does."""
    path = environ.get("PATH", "")
    found = [shutil.which(name, path=path) for name in _HELPERS]
    folder = environ.get("LSF_SERVERDIR")
    if folder:
        found.append(os.path.join(folder, "eauth"))
    for file in filter(None, found):
        try:
            if os.stat(file).st_mode & (stat.S_ISUID | stat.S_ISGID):
                return file
        except OSError:
            pass
    return ""


def _environment(service: Service) -> list[str]:
    names = _PASSED_ON_TO_OTHERS if service.user else _PASSED_ON
    return [
        f"Environment={_quoted(f'{name}={value}')}"
        for name, value in sorted(service.environ.items())
        if names.fullmatch(name) and value.isprintable()
    ]


def _word(text: str) -> str:
    """Of a command line, where `$` begins a variable."""
    return _quoted(text.replace("$", "$$"))


def _quoted(text: str) -> str:
    """One element of a list: words end at spaces."""
    text = _escaped(text)
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"' if re.search(r"""[\s"';\\]""", text) else text


def _escaped(text: str) -> str:
    """`%` begins a specifier, everywhere."""
    return text.replace("%", "%%")


def _template() -> str:
    """In a wheel it is in the daemon's package, in a checkout beside it."""
    spec = find_spec("dfm_daemon")
    assert spec is not None
    assert spec.submodule_search_locations
    package = spec.submodule_search_locations[0]
    places = [os.path.join(package, "deploy"), os.path.join(package, os.pardir, "deploy")]
    folder = next(place for place in places if os.path.isdir(place))
    with open(os.path.join(folder, "dfm.service"), encoding="utf-8") as file:
        return file.read()
