# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Processes that we start, so that exactly those can be stopped again."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from devkit import paths, stamps


@dataclass(frozen=True)
class Started:
    """A process, told apart from a later one with the same number by its start."""

    name: str
    pid: int
    born: str

    @property
    def alive(self) -> bool:
        return birth(self.pid) == self.born

    @property
    def file(self) -> Path:
        return _folder() / f"{self.name}-{self.pid}.json"


def start(
    name: str, command: Sequence[str], out: Path, **options
) -> tuple[subprocess.Popen, Started]:
    """Start a program whose words go to a file, and remember it.

    Ctrl-C is for us: it ends in our order.
    """
    with open(out, "w") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **options,
        )
    return process, record(name, process.pid)


def record(name: str, pid: int) -> Started:
    """Remember a process that was just started."""
    started = Started(name, pid, birth(pid) or "")
    stamps.write(started.file, json.dumps([started.name, started.pid, started.born]))
    return started


def running() -> Iterator[Started]:
    """All remembered processes that still run; the others are forgotten."""
    for file in sorted(_folder().glob("*.json")):
        try:
            started = Started(*json.loads(file.read_text()))
        except (OSError, ValueError, TypeError):
            file.unlink(missing_ok=True)
            continue
        if started.alive:
            yield started
        else:
            file.unlink(missing_ok=True)


def stop(started: Started, grace: float = 15) -> None:
    """End one process: politely, and after `grace` seconds by force."""
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5)):
        if not started.alive:
            break
        try:
            os.kill(started.pid, number)
        except ProcessLookupError:
            break
        _await_end(started, patience)
    started.file.unlink(missing_ok=True)


def _await_end(started: Started, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while started.alive and time.monotonic() < deadline:
        _reap(started.pid)
        time.sleep(0.05)


def _reap(pid: int) -> None:
    """Let a child of ours that has ended disappear."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass


def birth(pid: int) -> str | None:
    """When the process started, in the kernel's count; None when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def _folder() -> Path:
    folder = paths.cache() / "pids"
    folder.mkdir(exist_ok=True)
    return folder
