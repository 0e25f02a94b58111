"""Finds Chromium and its driver for the tests of the page. `--install` installs them on Debian, if run as root."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
_WANTED = ("chromium", "chromium-driver")


class NoBrowserError(Exception):
    """There is no browser, or no driver for it."""


def find() -> tuple[str, str]:
    """Paths of a Chromium (or Chrome) and of chromedriver. Raises NoBrowserError, whose text says what to install."""
    browser = next((path for name in _BROWSERS if (path := shutil.which(name))), str(_MAC) if _MAC.exists() else None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        missing = " and ".join(
            name for name, path in (("Chromium (or Chrome)", browser), ("chromedriver", driver)) if path is None
        )
        raise NoBrowserError(
            f"the tests of the page need {missing}; on Debian: apt-get install {' '.join(_WANTED)}, "
            "on macOS: brew install --cask google-chrome chromedriver"
        )
    return browser, driver


def _install() -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-qy", "--no-install-recommends", *_WANTED]):
        subprocess.run(["apt-get", *command], env=environment, check=False, stdout=sys.stderr)


def main(arguments: list[str]) -> int:
    """Print the paths of browser and driver; with `--install`, install them first. Returns the exit status."""
    try:
        find()
    except NoBrowserError:
        if "--install" in arguments and os.geteuid() == 0 and shutil.which("apt-get"):
            _install()
    try:
        browser, driver = find()
    except NoBrowserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if "--install" not in arguments:
        print(browser, driver, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
