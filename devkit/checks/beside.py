# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Steps in other processes, beside those of this one."""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from devkit import paths
from devkit.checks.result import Result
from devkit.console import say

PATIENCE = 30  # seconds to clean up in after an interrupt


@contextlib.contextmanager
def steps(
    left: deque[str], options: Sequence[str]
) -> Iterator[Callable[[], dict[str, Result]]]:
    """Take steps of the tests from the end of a list until none is left.

    Who takes others from its beginning meanwhile has the processor's other half.
    Yields a function that waits for their end, shows what they printed and returns
    their results.
    """
    lane = _Lane(left, options)
    lane.start()
    try:
        yield lane.results
    finally:
        lane.end()


class _Lane(threading.Thread):
    """Runs one step after the other, each in a process of its own."""

    def __init__(self, left: deque[str], options: Sequence[str]):
        super().__init__(daemon=True)
        self._left, self._options = left, options
        self._found: dict[str, Result] = {}
        self._printed: list[str] = []
        self._over = False
        self._process: subprocess.Popen | None = None
        self._starting = threading.Lock()

    def run(self) -> None:
        with contextlib.suppress(IndexError):  # none is left
            while not self._over:
                name = self._left.pop()
                say(f"  ... {name}, beside the others")
                self._found[name] = self._run(name)

    def _run(self, name: str) -> Result:
        with tempfile.TemporaryDirectory() as scratch:
            report, printed = Path(scratch, "report"), Path(scratch, "printed")
            command = [sys.executable, "-m", "devkit", "test", f"--report={report}"]
            with self._starting, open(printed, "w") as out:
                if self._over:
                    return Result()
                self._process = subprocess.Popen(
                    [*command, f"--only={name}", *self._options],
                    cwd=paths.REPO,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                )
            status = self._process.wait()
            self._printed.append(printed.read_text(errors="replace"))
            return _read(report, name, status)

    def results(self) -> dict[str, Result]:
        """Wait for the end of all."""
        self.join()
        print("".join(self._printed), end="", flush=True)
        return self._found

    def end(self) -> None:
        """Let a step that still runs clean up as after Ctrl-C, and begin no other.

        A terminal has told it already.
        """
        with self._starting:
            self._over = True
        process = self._process
        if process and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
        self.join(PATIENCE)


def listen() -> None:
    """Be ended by an interrupt: a job in the background ignores Ctrl-C, and hands that
    down.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _read(report: Path, name: str, status: int) -> Result:
    try:
        return Result(**json.loads(report.read_text())[name])
    except (OSError, ValueError, KeyError, TypeError):
        result = Result()
        result.fail(f"did not come to its end (status {status})")
        result.settle()
        return result
