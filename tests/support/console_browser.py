"""Debian's Chromium, driven by Playwright: one per test process.

1. The browser is the system's, and Playwright's own is not downloaded. Where it is missing, the Debian package is
   installed.
2. A page that writes an error to its console, throws, or breaks its content security policy fails its test.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = ROOT / "build" / "console-screenshots"
"""Where screenshots are left for people to look at."""
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_PACKAGES = ("chromium", "fonts-noto-cjk")
_INSTALL_S = 300


def found_chromium() -> str:
    """Raises ``RuntimeError`` where it neither is nor can be installed."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        _install()
        found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise RuntimeError("the tests of the console need Chromium: install the package chromium")
    return found


def _install() -> None:
    """Once, though several test processes may want it."""
    apt = shutil.which("apt-get")
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if apt is None or (as_root and shutil.which("sudo") is None):
        raise RuntimeError("the tests of the console need Chromium: install the package chromium")
    with Path(tempfile.gettempdir(), "aimesh-install-chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if any(map(shutil.which, _NAMES)):
            return
        quiet = ["env", "DEBIAN_FRONTEND=noninteractive", apt, "-qq", "-o", "DPkg::Lock::Timeout=300"]
        for command in ([*quiet, "update"], [*quiet, "install", "-y", "--no-install-recommends", *_PACKAGES]):
            done = subprocess.run([*as_root, *command], capture_output=True, timeout=_INSTALL_S, check=False)
            if done.returncode != 0:
                raise RuntimeError(
                    "the tests of the console need the package chromium, and it cannot be installed: "
                    f"{done.stderr.decode(errors='replace')[-1000:]}"
                )


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found_chromium(), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Watch:
    """What a page complained of."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        self.expected: list[str] = []
        """Parts of complaints that the test provokes: an answer 4xx is one in Chromium's console."""
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"thrown: {error}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def unexpected(self) -> list[str]:
        return [each for each in self.complaints if not any(part in each for part in self.expected)]


def accessibility(page: Page) -> list[str]:
    """Serious and critical findings of axe, as lines."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']} ({each['impact']}): {node['html'][:200]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"][:3]
    ]


def shot(page: Page, name: str) -> Path:
    """A picture of the whole page."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    path = SHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path
