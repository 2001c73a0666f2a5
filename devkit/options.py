# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the commands of later modules are called with."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DemoOptions:
    """How the demo is to run."""

    series: str
    odoo: Path | None = None
    once: bool = False  # end after the story, with its verdict as exit status
    port: int | None = None  # Odoo's; 8069 or the next free one when None
    simulator_port: int | None = None  # a free one when None


@dataclass(frozen=True)
class BenchOptions:
    """How the benchmarks are to run."""

    series: str
    odoo: Path | None = None
    arguments: tuple[str, ...] = ()
