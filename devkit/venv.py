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
        create = [sys.executable, "-m", "venv", "--without-pip", folder]
        run(create, what="making a Python environment")
        run(
            [
                *(sys.executable, "-m", "pip", "--python", folder / "bin/python"),
                *("install", "--disable-pip-version-check", "--no-deps"),
                *("--only-binary", ":all:", "--require-hashes", "-r", lock),
            ],
            what=f"installing Odoo {series}'s libraries",
            show=show,
        )


def clean_environment() -> dict[str, str]:
    """This process's environment without what belongs to the command line itself."""
    own = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PYTHONHOME")
    return {name: value for name, value in os.environ.items() if name not in own}
