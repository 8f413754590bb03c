"""Which host this is, which boot of it, and who asks."""

import os
import pwd
import socket

_BOOT_ID = "/proc/sys/kernel/random/boot_id"


def host_name() -> str:
    return socket.gethostname()


def boot_id() -> str:
    """Another one after each boot, the same for all processes of the host; empty if unknown."""
    try:
        with open(_BOOT_ID) as file:
            return file.read().strip()
    except OSError:
        return ""


def user_name() -> str:
    """Of this process; its number, if nobody has given it a name."""
    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
