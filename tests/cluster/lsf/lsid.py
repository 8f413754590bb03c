"""`lsid`: whether LSF is there."""

import socket

from tests.cluster.lsf.site import Refused, load


def main(words: list[str]) -> int:
    if words:
        raise Refused(f"lsid: illegal option -- {words[0].lstrip('-')}")
    if load().is_down:
        raise Refused("ls_getclustername: LIM is down; try later")
    print("IBM Spectrum LSF Standard 10.1.0.0, a set of commands for tests")
    print(f"\nMy cluster name is dfm\nMy master name is {socket.gethostname()}")
    return 0
