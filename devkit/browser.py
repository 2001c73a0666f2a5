# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A headless Chromium, steered by its own DevTools protocol over a web socket."""

import base64
import contextlib
import itertools
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import websocket

from devkit import processes
from devkit.checks import browser as program
from devkit.console import Failure

PATIENCE = 30  # seconds for a page, or for what is waited for
POLL = 0.1
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
    *("--force-color-profile=srgb", "--disable-extensions", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--remote-debugging-port=0", "--lang=es"),
    "--force-prefers-reduced-motion",
)
# what would make two pictures of one page differ
STILL = """
    const style = document.createElement('style');
    style.textContent = '* { animation: none !important; transition: none !important;'
        + ' caret-color: transparent !important; }';
    document.documentElement.append(style);
"""


class Page:
    """One tab."""

    def __init__(self, address: str):
        # no Origin header: Chromium refuses those that it was not told of
        self._socket = websocket.create_connection(
            address, timeout=PATIENCE, suppress_origin=True
        )
        self._numbers = itertools.count(1)
        for domain in ("Page", "Runtime", "Network"):
            self.tell(f"{domain}.enable")
        self.tell("Page.addScriptToEvaluateOnNewDocument", source=_when_ready(STILL))

    def tell(self, method: str, **params) -> dict:
        """Call a method of the protocol. Raises Failure when it is refused."""
        number = next(self._numbers)
        self._socket.send(
            json.dumps({"id": number, "method": method, "params": params})
        )
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                break  # events of pages are of no interest
        if "error" in answer:
            raise Failure(f"the browser refuses {method}: {answer['error']['message']}")
        return answer["result"]

    def size(self, width: int, height: int) -> None:
        """Be a window, or a phone when it is narrow."""
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        self.tell("Emulation.setTouchEmulationEnabled", enabled=width < 500)

    def forget(self, url: str) -> None:
        """Be nobody: the site's session is gone, and all that it kept here."""
        self.tell("Page.navigate", url="about:blank")
        self.tell("Network.clearBrowserCookies")
        self.tell("Storage.clearDataForOrigin", origin=url, storageTypes="all")

    def go(self, url: str) -> None:
        """Open an address and wait until it is there."""
        self.tell("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def ask(self, expression: str):
        """The value of a JavaScript expression."""
        answer = self.tell(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        if "exceptionDetails" in answer:
            raise Failure(f"in the page: {_complaint(answer['exceptionDetails'])}")
        return answer["result"].get("value")

    def wait(self, expression: str, seconds: float = PATIENCE) -> None:
        """Wait until an expression is true. Raises Failure when it stays false."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(Failure):  # between two pages
                if self.ask(expression):
                    return
            time.sleep(POLL)
        raise Failure(f"the page does not come to: {expression}")

    def click(self, selector: str, text: str = "") -> None:
        """Click the first element that fits, and has this text if one is given."""
        found = _find(selector, text)
        self.wait(f"!!({found})")
        self.ask(f"({found}).click()")

    def see(self, selector: str, text: str = "") -> None:
        """Wait for an element."""
        self.wait(f"!!({_find(selector, text)})")

    def picture(self, file: Path) -> None:
        """Write what is seen as PNG."""
        answer = self.tell(
            "Page.captureScreenshot", format="png", optimizeForSpeed=False
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(answer["data"]))

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def open_page(recorded_as: str) -> Iterator[Page]:
    """A browser with one tab, for as long as the block lasts."""
    problem = program.provide()
    if problem:
        raise Failure(problem)
    # the browser's helpers may still write into its profile when it has ended
    with tempfile.TemporaryDirectory(
        prefix="cwg-browser-", ignore_cleanup_errors=True
    ) as profile:
        command = [
            program.find(),
            *OPTIONS,
            f"--user-data-dir={profile}",
            "about:blank",
        ]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        started = processes.record(recorded_as, process.pid)
        try:
            page = Page(_address(process, Path(profile)))
            try:
                yield page
            finally:
                page.close()
        finally:
            processes.stop(started)
            process.wait()


def _address(process: subprocess.Popen, profile: Path) -> str:
    """Where the tab listens; the browser writes its port into its profile."""
    import requests

    file = profile / "DevToolsActivePort"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Failure(f"the browser ended with status {process.returncode}")
        if file.exists() and file.read_text().strip():
            port = file.read_text().split()[0]
            tabs = requests.get(
                f"http://127.0.0.1:{port}/json", timeout=PATIENCE
            ).json()
            pages = [tab for tab in tabs if tab["type"] == "page"]
            if pages:
                return pages[0]["webSocketDebuggerUrl"]
        time.sleep(POLL)
    raise Failure("the browser does not answer")


def _find(selector: str, text: str) -> str:
    """An expression for the first visible element that fits.

    >>> _find("button", "Enviar")[:36]
    "[...document.querySelectorAll(\\"butto"
    """
    return (
        f"[...document.querySelectorAll({json.dumps(selector)})].find(one =>"
        f" one.getClientRects().length && one.textContent.includes({json.dumps(text)}))"
    )


def _when_ready(code: str) -> str:
    """Run code as soon as the page has a root element."""
    return (
        "(() => { const run = () => {" + code + "};"
        " document.documentElement ? run()"
        " : document.addEventListener('readystatechange', run, {once: true}); })();"
    )


def _complaint(details: dict) -> str:
    thrown = details.get("exception", {}).get("description")
    return (thrown or details.get("text", "")).splitlines()[0]
