# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Benchmarks: what our addon costs, beside OCA's modules alone, in one run."""

from devkit.bench.inbound import run

__all__ = ["run"]
