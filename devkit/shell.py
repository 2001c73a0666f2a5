# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Running other programs: output kept, failures as one line with its log."""

import re
import subprocess
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from devkit.console import Failure

# How apt, pip, PostgreSQL and a Python traceback begin the line that says why.
TELLING = re.compile(r"(E:|ERROR|error:|pg_ctl:|[\w.]*(Error|Exception)\b)")


def run(
    command: Sequence[str | Path],
    *,
    what: str,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    log: Path | None = None,
    show=None,
    as_user: str | None = None,
    stdin: IO[str] | None = None,
) -> str:
    """Run to the end and return the output (stdout and stderr together).

    `what` names it in the failure, `show` gets each line while it runs, and `log`
    keeps all of them. `as_user` lets root act as somebody else.
    """
    who = {"user": as_user, "group": group_of(as_user), "extra_groups": []}
    try:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=env,
            cwd=cwd,
            **(who if as_user else {}),
        )
    except OSError as error:
        raise Failure(
            f"{what}: cannot start {command[0]} ({error.strerror})"
        ) from error
    with process:
        output = _collect(process, log, show)
    if process.returncode:
        where = f" (all of it: {log})" if log else ""
        raise Failure(f"{what} failed: {_last_words(output)}{where}")
    return output


def group_of(user: str | None) -> int | None:
    """The number of the user's own group."""
    import pwd

    return pwd.getpwnam(user).pw_gid if user else None


def _collect(process: subprocess.Popen, log: Path | None, show) -> str:
    lines: deque[str] = deque(maxlen=20000)
    sink = open(log, "w") if log else None
    try:
        for line in process.stdout:
            lines.append(line)
            if sink:
                sink.write(line)
            if show:
                show(line.strip())
    finally:
        if sink:
            sink.close()
    return "".join(lines)


def _last_words(output: str) -> str:
    """The line that most likely says why."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if TELLING.match(line)]
    return (telling or lines or ["it said nothing"])[-1]
