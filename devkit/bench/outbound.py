# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""How fast answers leave, and what a click costs, while Meta takes its time."""

from devkit import options, paths
from devkit.bench import sides
from devkit.bench.graph_stub import GraphStub

GRAPH_SECONDS = 0.15
PEOPLE = {True: 1000, False: 100}  # OCA alone sends one after the other


def measure(wished: options.BenchOptions) -> None:
    """Run both sides; print the table and the JSON."""
    found = []
    for side, with_addon in sides.SIDES:
        with (
            sides.opened("bench-outbound", wished, side, with_addon) as shop,
            GraphStub(GRAPH_SECONDS) as graph,
        ):
            figures = sides.inside(
                *(shop, "in_shell_outbound.py"),
                URL=graph.url,
                KEY=paths.parameter("graph_url"),
                PEOPLE=PEOPLE[with_addon],
            )
            figures["busiest_second"] = graph.busiest_second()
        found.append({"side": side, **figures})
    sides.show(f"answers, with {GRAPH_SECONDS * 1000:.0f} ms per Graph call", found)
