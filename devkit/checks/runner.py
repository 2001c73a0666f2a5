# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Running the chosen steps and adding up."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from devkit.checks import in_odoo, lint, outside
from devkit.checks.result import Result
from devkit.console import Failure, console, say
from devkit.environment import Environment


@dataclass(frozen=True)
class Wish:
    """What the person at the command line wants tested."""

    only: Sequence[str] = ()
    keyword: str | None = None  # pytest's -k
    tags: str | None = None  # Odoo's --test-tags

    @property
    def pytest_options(self) -> tuple[str, ...]:
        return ("-k", self.keyword) if self.keyword else ()


Step = Callable[[Callable[[], Environment], Wish], Result]


def _pytest(folder: str) -> Step:
    return lambda _get, wish: outside.pytest(folder, wish.pytest_options)


def _end_to_end(get: Callable[[], Environment], wish: Wish) -> Result:
    """The demo's story, on the Odoo that is being tested."""
    environment = get()
    env = {"CWG_SERIES": environment.series}
    return outside.pytest("e2e", wish.pytest_options, env)


STEPS: dict[str, Step] = {
    "lint": lambda _get, _wish: lint.check(),
    "unit": _pytest("unit"),
    "devkit": _pytest("devkit"),
    "simulator": _pytest("simulator"),
    "oca": lambda get, _wish: in_odoo.oca(get()),
    "addon": lambda get, wish: in_odoo.addon(get(), wish.tags),
    "e2e": _end_to_end,
}


def run(get: Callable[[], Environment], wish: Wish) -> bool:
    """Run the steps, print their table and the line of counts.

    `get` gives the Odoo to test; steps outside Odoo never call it. Returns whether
    all is well.
    """
    results = {name: _timed(STEPS[name], get, wish) for name in wish.only or STEPS}
    tested = _tested(get, results)
    console.print(_table(results))
    for name, result in results.items():
        for problem in result.problems:
            console.print(f"[red]{name}[/]: {escape(problem)}", soft_wrap=True)
    passed = sum(result.passed for result in results.values())
    failed = sum(result.failed for result in results.values())
    say(tested)
    print(f"{passed} passed, {failed} failed", flush=True)
    return not failed


def _timed(step: Step, get: Callable[[], Environment], wish: Wish) -> Result:
    started = time.monotonic()
    try:
        result = step(get, wish)
    except Failure as failure:
        result = Result()
        result.fail(str(failure))
    result.settle()
    result.seconds = time.monotonic() - started
    return result


def _tested(get: Callable[[], Environment], results: dict[str, Result]) -> str:
    """Which Odoo the steps inside Odoo were run on."""
    if not {"oca", "addon", "e2e"} & results.keys():
        return "tested without Odoo"
    try:
        odoo = get().odoo
    except Failure:
        return "tested without Odoo: there was none"
    return f"tested on Odoo {odoo.series} ({odoo.version})"


def _table(results: dict[str, Result]) -> Table:
    table = Table("step", box=None)
    for title in ("passed", "failed", "seconds"):
        table.add_column(title, justify="right")
    for name, result in results.items():
        style = "red" if result.failed else "green"
        counts = (str(result.passed), str(result.failed), f"{result.seconds:.1f}")
        table.add_row(f"[{style}]{name}", *counts)
    return table
