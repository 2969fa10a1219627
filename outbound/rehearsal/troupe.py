"""Many processes for the price of one start: forked once everything is imported, and minded until they end.

It starts no thread and no event loop before it forks; what the work is, is the caller's.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping

from outbound.rehearsal.child import tell

LOOK_EVERY_S = 0.2
END_WITHIN_S = 3.0
"""After the parent let go, whoever is still there then is killed."""


def play(works: Mapping[str, Callable[[], None]]) -> None:
    """Do each piece of work in a process of its own until standard input closes; tells ``crashed`` with its user."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children = {_fork(work): user for user, work in works.items()}
    while children and not _let_go():
        _reap(children)
    until = time.monotonic() + END_WITHIN_S
    while children and time.monotonic() < until:
        _reap(children)
        time.sleep(LOOK_EVERY_S / 4)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _fork(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)  # the exit handlers are the parent's


def _let_go() -> bool:
    """Wait a moment for standard input to close; it is shared with the children and never carries anything."""
    readable, _, _ = select.select([0], [], [], LOOK_EVERY_S)
    return bool(readable)


def _reap(children: dict[int, str]) -> None:
    """Take leave of those who ended, and say whose end was no good one."""
    for pid in list(children):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            user = children.pop(pid)
            if status:
                tell("crashed", user=user, code=os.waitstatus_to_exitcode(status))
