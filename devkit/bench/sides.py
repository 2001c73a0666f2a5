# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The two that every benchmark compares."""

import contextlib

from devkit import options, paths, shop
from devkit.console import step

SIDES = (("OCA alone", False), ("with our addon", True))  # name, with our addon


@contextlib.contextmanager
def opened(name: str, wished: options.BenchOptions, side: str, with_addon: bool):
    """A fresh shop of one side; gone afterwards."""
    series = wished.series or paths.DEFAULT_SERIES
    with (
        step(f"{side}: a fresh Odoo {series}"),
        shop.opened(name, series, wished.odoo, with_addon) as fresh,
    ):
        yield fresh
