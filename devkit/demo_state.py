# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Where a running demo is found, by the commands that talk to it."""

import json
from pathlib import Path

from devkit import paths
from devkit.console import Failure


def write(**facts: str) -> None:
    """Remember the demo's addresses: `simulator`, `odoo`, whatever helps."""
    draft = _file().with_suffix(".draft")
    draft.write_text(json.dumps(facts))
    draft.replace(_file())


def read() -> dict[str, str]:
    """What the demo wrote. Raises Failure when no demo was started."""
    try:
        return json.loads(_file().read_text())
    except (OSError, ValueError) as error:
        raise Failure("no demo is running; start one with ./dev demo") from error


def clear() -> None:
    """Forget it, as the demo has ended."""
    _file().unlink(missing_ok=True)


def _file() -> Path:
    return paths.cache() / "demo.json"
