# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Python environments for Odoo, one per series, from lock files."""

import os
import sys
from pathlib import Path

from devkit import paths, stamps
from devkit.console import step
from devkit.shell import run


def provide(series: str) -> Path:
    """The Python program of the series' environment; made when missing."""
    lock = lock_of(series)
    key = paths.digest(lock.read_bytes(), sys.version, sys.base_prefix)
    folder = paths.cache() / f"venv-{series}-{key[:10]}"
    stamps.ensure(folder, key, lambda target: _make(series, lock, target))
    return folder / "bin" / "python"


def lock_of(series: str) -> Path:
    """The lock file of what Odoo needs."""
    return paths.LOCKS / f"odoo-{series}.txt"


def _make(series: str, lock: Path, folder: Path) -> None:
    """Fill the environment; wheels only, as a fresh machine has no compiler.

    pip comes from the command line's own environment, as Debian's Python has none.
    """
    with step(f"Python libraries for Odoo {series}") as show:
        install(
            *locked(lock),
            what=f"installing Odoo {series}'s libraries",
            python=create(folder),
            show=show,
        )


def create(folder: Path, python: Path | str = sys.executable) -> Path:
    """Make an environment without pip; returns its Python program."""
    command = [python, "-m", "venv", "--without-pip", folder]
    run(command, what="making a Python environment")
    return folder / "bin" / "python"


def install(
    *wanted: str | Path, what: str, python: Path | None = None, show=None
) -> None:
    """Let pip install exactly these, for another Python or as its options say."""
    other = ("--python", python) if python else ()
    run(
        [
            *(sys.executable, "-m", "pip", *other, "install", "--no-deps"),
            *("--disable-pip-version-check", "--only-binary", ":all:", *wanted),
        ],
        what=what,
        show=show,
    )


def locked(file: Path) -> tuple[str | Path, ...]:
    """What pip is told to install all that a lock file names."""
    return "--require-hashes", "-r", file


def clean_environment() -> dict[str, str]:
    """This process's environment without what belongs to the command line itself."""
    own = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PYTHONHOME")
    return {name: value for name, value in os.environ.items() if name not in own}
