# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Running the chosen steps and adding up."""

import contextlib
import json
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from devkit import clock
from devkit.checks import beside, in_odoo, lint, outside, packaged
from devkit.checks.result import Result
from devkit.console import Failure, console, say
from devkit.environment import Environment


@dataclass(frozen=True)
class Wish:
    """What the person at the command line wants tested."""

    only: Sequence[str] = ()
    keyword: str | None = None  # pytest's -k
    tags: str | None = None  # Odoo's --test-tags
    odoo: Sequence[str] = ()  # the command line's options that choose the Odoo
    report: Path | None = None  # where the results are written, too
    at: datetime | None = None  # when the addon's tests begin, UTC; default: now

    @property
    def pytest_options(self) -> tuple[str, ...]:
        return ("-k", self.keyword) if self.keyword else ()

    @property
    def options(self) -> tuple[str, ...]:
        """What another process is told that runs a step of this wish."""
        at = self.at and f"--at={self.at:{clock.FORMAT}}"
        tags = self.tags and f"--tags={self.tags}"
        return (*self.odoo, *self.pytest_options, *filter(None, (tags, at)))


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
    "addon": lambda get, wish: in_odoo.addon(
        get(), wish.tags, wish.at, alone=wish.only == ["addon"] and not wish.report
    ),
    "each": lambda get, wish: in_odoo.each(get(), wish.at),
    "browser": lambda get, _wish: in_odoo.tours(get()),
    "package": lambda get, _wish: packaged.check(get()),
    "e2e": _end_to_end,
}
# Steps are taken from both ends of this, two at once: at each end what lasts longest,
# in the middle what is short, so that both sides end together; and on one side what
# waits for processes, on the other what waits for browsers
ORDER = ("lint", "addon", "browser", "each", "oca", "devkit")
ORDER += ("simulator", "package", "unit", "e2e")


def run(get: Callable[[], Environment], wish: Wish) -> bool:
    """Run the steps, print their table and the line of counts.

    `get` gives the Odoo to test; steps outside Odoo never call it. Whoever wished a
    report gets that instead of the table. Returns whether all is well.
    """
    if wish.report:
        beside.listen()
    results = _results(get, wish)
    failed = sum(result.failed for result in results.values())
    if wish.report:
        found = {name: asdict(result) for name, result in results.items()}
        wish.report.write_text(json.dumps(found))
        return not failed
    tested = _tested(get, results)
    console.print(_table(results))
    for name, result in results.items():
        for problem in result.problems:
            console.print(f"[red]{name}[/]: {escape(problem)}", soft_wrap=True)
    passed = sum(result.passed for result in results.values())
    say(tested)
    print(f"{passed} passed, {failed} failed", flush=True)
    return not failed


def _results(get: Callable[[], Environment], wish: Wish) -> dict[str, Result]:
    """Run the steps, two at once where there is room for two."""
    chosen = steps_of(wish)
    if len(chosen) < 2 or (os.cpu_count() or 1) < 2:
        return {name: _timed(STEPS[name], get, wish) for name in chosen}
    left, results = deque(chosen), {}
    with beside.steps(left, wish.options) as await_results:
        with contextlib.suppress(IndexError):  # none is left
            while True:
                name = left.popleft()
                results[name] = _timed(STEPS[name], get, wish)
        results |= await_results()
    return {name: results[name] for name in STEPS if name in results}


def steps_of(wish: Wish) -> list[str]:
    """The steps in the order in which they are begun.

    What `addon` does at its end when it runs alone is else a step of its own.
    """
    wanted = {*(wish.only or STEPS)}
    if "addon" in wanted and len(wanted) > 1 and not wish.tags:
        wanted.add("each")
    return [name for name in ORDER if name in wanted]


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
    if not {"oca", "addon", "each", "browser", "package", "e2e"} & results.keys():
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
