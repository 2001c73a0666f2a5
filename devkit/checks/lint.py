# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Lint and formatting, through pre-commit."""

from devkit.checks.result import Result


def check() -> Result:
    """Run all hooks over all files of the repository."""
    return Result()
