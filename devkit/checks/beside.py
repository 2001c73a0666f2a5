# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Steps in a second process, beside those of this one."""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from devkit import paths
from devkit.checks.result import Result
from devkit.console import say

PATIENCE = 30  # seconds to clean up in after an interrupt


@contextlib.contextmanager
def steps(
    names: Sequence[str], options: Sequence[str]
) -> Iterator[Callable[[], dict[str, Result]]]:
    """Begin these steps of the tests.

    Yields a function that waits for their end, shows what they printed and returns
    their results.
    """
    say(f"  ... {' and '.join(names)}, beside the others")
    with tempfile.TemporaryDirectory() as scratch:
        report, printed = Path(scratch, "report"), Path(scratch, "printed")
        only = [f"--only={name}" for name in names]
        command = [sys.executable, "-m", "devkit", "test", f"--report={report}"]
        with open(printed, "w") as out:
            process = subprocess.Popen(
                [*command, *only, *options],
                cwd=paths.REPO,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                # a job in the background ignores Ctrl-C, and hands that down
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

        def results() -> dict[str, Result]:
            process.wait()
            print(printed.read_text(errors="replace"), end="", flush=True)
            return _read(report, names, process.returncode)

        try:
            yield results
        finally:
            _end(process)


def _read(report: Path, names: Sequence[str], status: int) -> dict[str, Result]:
    try:
        found = json.loads(report.read_text())
        return {name: Result(**found[name]) for name in names}
    except (OSError, ValueError, KeyError, TypeError):
        results = {name: Result() for name in names}
        for result in results.values():
            result.fail(f"did not come to its end (status {status})")
            result.settle()
        return results


def _end(process: subprocess.Popen) -> None:
    """Let it clean up as after Ctrl-C; a terminal has told it already."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
