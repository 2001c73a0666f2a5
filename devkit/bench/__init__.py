# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Benchmarks: what our addon costs, beside OCA's modules alone, in one run."""

from devkit import options
from devkit.bench import inbound, outbound, work
from devkit.console import Failure

PARTS = {"inbound": inbound.run, "work": work.measure, "outbound": outbound.measure}


def run(wished: options.BenchOptions) -> None:
    """Run the benchmarks that are named, or all.

    Numbers among the arguments are sizes of the database for 'work', instead of its
    own. Raises Failure for a name that is none of `PARTS`.
    """
    names = [word for word in wished.arguments if not word.isdigit()]
    if unknown := set(names) - set(PARTS):
        raise Failure(
            f"no benchmark is called {min(unknown)}; there are {', '.join(PARTS)}"
        )
    for name in names or PARTS:
        PARTS[name](wished)
