# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The two that every benchmark compares, and what is measured inside their Odoo."""

import contextlib
import json
from pathlib import Path

from rich.table import Table

from devkit import database, options, shop
from devkit.console import console, step

SIDES = (("OCA alone", False), ("with our addon", True))  # name, with our addon


@contextlib.contextmanager
def opened(name: str, wished: options.BenchOptions, side: str, with_addon: bool):
    """A fresh shop of one side; gone afterwards."""
    with (
        step(f"{side}: a fresh Odoo {wished.series}"),
        shop.opened(name, wished.series, wished.odoo, with_addon) as fresh,
    ):
        yield fresh


def inside(opened: shop.Shop, script: str, **values) -> dict:
    """Run a script of this folder in Odoo's shell; return the figures that it prints.

    :param values: names that it finds
    """
    lines = [f"{name} = {value!r}" for name, value in values.items()]
    lines.append(Path(__file__).with_name(script).read_text())
    said = database.run_inside(
        opened.environment, opened.database, "\n".join(lines), "the benchmark"
    )
    line = next(line for line in said.splitlines() if line.startswith("BENCH "))
    return json.loads(line.removeprefix("BENCH "))


def show(title: str, found: list[dict]) -> None:
    """Print figures as a table, those of a `side` in one column, and as JSON."""
    table = Table("", title=title)
    for figures in found:
        table.add_column(figures["side"], justify="right")
    for name in list(found[0])[1:]:
        row = [figures[name] for figures in found]
        table.add_row(
            name.replace("_", " "), *(f"{round(value, 1):,}" for value in row)
        )
    console.print(table)
    console.print_json(json.dumps(found))
