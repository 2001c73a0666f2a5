# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How fast answers leave, and what a click costs, while Meta takes its time."""

import json
import tempfile
from pathlib import Path

from rich.table import Table

from devkit import options, paths
from devkit.bench import sides
from devkit.bench.graph_stub import GraphStub
from devkit.console import console
from devkit.shell import run

SCRIPT = Path(__file__).with_name("in_shell_outbound.py")
GRAPH_SECONDS = 0.15
PEOPLE = {True: 1000, False: 100}  # OCA alone sends one after the other
NAMES = ("people", "click_ms", "per_second", "busiest_second", "peak_mb")


def measure(wished: options.BenchOptions) -> None:
    """Run both sides; print the table and the JSON."""
    found = []
    for side, with_addon in sides.SIDES:
        with (
            sides.opened("bench-outbound", wished, side, with_addon) as shop,
            GraphStub(GRAPH_SECONDS) as graph,
        ):
            figures = _in_shell(shop, graph.url, PEOPLE[with_addon])
            figures["busiest_second"] = graph.busiest_second()
        found.append({"side": side, **figures})
    table = Table(title=f"answers, with {GRAPH_SECONDS * 1000:.0f} ms per Graph call")
    for name in ("", *NAMES):
        table.add_column(name.replace("_", " "), justify="right")
    for figures in found:
        table.add_row(figures["side"], *(f"{figures[name]:,.4g}" for name in NAMES))
    console.print(table)
    print(json.dumps(found, indent=2))


def _in_shell(shop, url: str, people: int) -> dict:
    env = shop.environment
    command = env.command("shell", "-d", shop.database, "--no-http")
    with tempfile.TemporaryFile("w+") as script:
        key = paths.parameter("graph_url")
        script.write(f"URL, KEY, PEOPLE = {url!r}, {key!r}, {people}\n")
        script.write(SCRIPT.read_text())
        script.seek(0)
        said = run(command, what="the benchmark", env=env.env(), stdin=script)
    line = next(line for line in said.splitlines() if line.startswith("BENCH "))
    return json.loads(line.removeprefix("BENCH "))
