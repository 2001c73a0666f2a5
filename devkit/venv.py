# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Python environments for Odoo, one per series, from lock files."""

import os
import sys
from pathlib import Path

from devkit import paths, stamps
from devkit.console import step
from devkit.shell import run

LOCKED = ("devkit", "odoo-18.0", "odoo-19.0", "oca-18.0", "oca-19.0", "node")


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


def renew_locks() -> list[str]:
    """Write all lock files anew, with the newest versions that the .in files allow.

    Returns one line for each file.
    """
    news = []
    for name in LOCKED:
        target = paths.LOCKS / f"{name}.txt"
        before = target.read_text() if target.exists() else ""
        with step(f"locking {name}"):
            run(lock_command(name, target), what=f"locking {name}")
        changed = "renewed" if target.read_text() != before else "unchanged"
        news.append(f"{target.relative_to(paths.REPO)}: {changed}")
    return news


def lock_command(name: str, target: Path) -> list[str | Path]:
    """How one lock file is made: exact versions and hashes, for Python 3.11 on."""
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--upgrade"),
        *("--generate-hashes", "--only-binary", ":all:", "--python-version", "3.11"),
        *("--no-header", "--no-annotate", "--no-emit-index-url"),
        *(paths.LOCKS / f"{name}.in", "--output-file", target),
    ]
    return [*command, "--no-deps" if name.startswith("oca") else "--universal"]


def clean_environment() -> dict[str, str]:
    """This process's environment without what belongs to the command line itself."""
    own = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PYTHONHOME")
    return {name: value for name, value in os.environ.items() if name not in own}

