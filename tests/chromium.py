"""One Chromium for each test process: to start another one takes more than a second of the processor."""

from __future__ import annotations

import atexit
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

from tests.services import need

# Each window would load pages for what its address bar may show; they took a third of Chromium's time.
_NEEDLESS = ("Translate", "OptimizationHints", "MediaRouter", "WebUIOmniboxPopup", "WebUIOmniboxAimPopup")
_SWITCHES = (
    "--headless",
    "--no-sandbox",  # there is none within containers
    "--disable-dev-shm-usage",  # which is small there
    *("--remote-debugging-port=0", "--no-startup-window"),
    # It asks nobody for anything, every page begins anew, and no window has pages of its own.
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-breakpad"),
    *("--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-back-forward-cache"),
    *("--disable-field-trial-config", f"--disable-features={','.join(_NEEDLESS)}"),
    # A page looks the same on each machine.
    *("--hide-scrollbars", "--force-color-profile=srgb", "--password-store=basic", "--mute-audio"),
)


@cache
def chromium() -> str:
    """Return where Chromium listens, for playwright's `connect_over_cdp`; it ends with this process."""
    program = need("chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
    folder = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
    said, listens = Path(folder.name) / "said", Path(folder.name) / "DevToolsActivePort"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [program, *_SWITCHES, f"--user-data-dir={folder.name}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    atexit.register(_end, process, folder)
    while not (listens.exists() and (lines := listens.read_text().splitlines())[1:]):
        assert process.poll() is None, said.read_text()
        time.sleep(0.02)
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"


def _end(process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    process.kill()
    process.wait()
    folder.cleanup()
