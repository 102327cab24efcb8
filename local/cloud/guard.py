"""python -m local.cloud.guard FOLDER: ends the supervisor's children when the supervisor is gone.

It reads `+PID` and `-PID` lines, process groups that have begun and ended, and acts when its
input ends: the supervisor has stopped (then there is nothing left to do) or was killed (then it
could not clean up, and this does, the scratch folder too: it may be in memory).
"""

import contextlib
import shutil
import signal
import sys

from local.cloud.processes import end_groups


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    with contextlib.suppress(ValueError):  # a line cut off in the middle: the end as well
        for line in sys.stdin:
            if line.startswith("+"):
                groups.add(int(line[1:]))
            else:
                groups.discard(int(line[1:]))
    end_groups(groups)
    shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
