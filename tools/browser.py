"""python -m tools.browser: Chromium for the tests in a browser, unless the machine has one.

Debian's package, as root on Debian and its kin; anywhere else the download of Playwright.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = (
    "The tests in a browser need Chromium or Chrome, and it could not be installed. Install it "
    "(Debian: apt install chromium; anywhere: .tools/dev/bin/playwright install --with-deps "
    "chromium), or set CHROMIUM to its program."
)


def program(*others: str) -> str | None:
    """Where it is: what CHROMIUM names, else one of the usual names, else one of `others`."""
    wanted = os.environ.get("CHROMIUM")
    for name in (wanted,) if wanted else (*NAMES, *others):
        found = shutil.which(name)
        if found:
            return found
    return None


def main() -> None:
    if program():
        return
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        quiet = ["-y", "-qq", "-o", "Dpkg::Use-Pty=0"]
        commands = [[apt, "update", "-qq"], [apt, "install", *quiet, "chromium"]]
    else:
        commands = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    print("[tools] Chromium ...", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in commands:
        done = subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
        if done.returncode:
            sys.exit(MISSING)


if __name__ == "__main__":
    main()
