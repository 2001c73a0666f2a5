# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Where running demos are found, by the commands that talk to them."""

import json
from pathlib import Path

from devkit import paths, stamps
from devkit.console import Failure


def write(series: str = "", **facts: str) -> None:
    """Remember where the demo is: `simulator`, `odoo`, whatever helps."""
    stamps.write(_folder() / f"{series}.json", json.dumps(facts))


def read(series: str | None = None) -> dict[str, str]:
    """What the demo wrote; without `series`, the one that was started last.

    Raises Failure when no demo was started.
    """
    files = _folder().glob("*.json" if series is None else f"{series}.json")
    newest = max(files, key=lambda file: file.stat().st_mtime, default=None)
    try:
        return json.loads(newest.read_text())
    except (AttributeError, OSError, ValueError) as error:
        raise Failure("no demo is running; start one with ./dev demo") from error


def clear(series: str | None = None) -> None:
    """Forget it, as the demo has ended; without `series`, all of them."""
    for file in _folder().glob("*.json" if series is None else f"{series}.json"):
        file.unlink(missing_ok=True)


def _folder() -> Path:
    folder = paths.cache() / "demos"
    folder.mkdir(exist_ok=True)
    return folder
