"""Starts a process that cannot outlive the supervisor, also when the supervisor is killed with SIGKILL.

Run as a script by the supervisor: `launch.py SUPERVISOR_PID COMMAND…`. It asks Linux to kill it when its parent
dies, then becomes the command, which keeps that wish. A separate program because code between fork and exec of a
process with threads is not safe, and the supervisor has threads.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the command given after the supervisor's pid."""
    supervisor, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != supervisor:
        # It died before the wish was in place.
        sys.exit(1)
    # The supervisor waits for its signals with all of them blocked, and a blocked signal stays so across exec.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
