# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Tests that run inside Odoo: ours, and OCA's own of the two base modules."""

import ast
import contextlib
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from devkit import bundles, clock, database, paths, processes
from devkit.checks import browser, odoo_log
from devkit.checks.result import Result
from devkit.console import step
from devkit.environment import Environment
from devkit.server import free_port

OCA_MODULES = ("mail_gateway", "mail_gateway_whatsapp")
BROWSER = "whatsapp_browser"  # the tag of our tests in a browser
AT_ONCE = 2  # Odoos that share the addon's tests, one for each processor


def addon(
    environment: Environment,
    tags: str | None = None,
    at: datetime | None = None,
    alone: bool = False,
) -> Result:
    """Install our addon into copies of the prepared database and test it there.

    `tags` asks for some tests, in Odoo's own notation, also for those in a browser;
    `at` is the moment (UTC) at which all of it begins, for Odoo and the database.
    If they run `alone`, without other steps beside them, several Odoos share them.
    """
    if tags:
        return _with_browser(environment, "test", tags, at)
    halves = split(paths.REPO / paths.ADDON / "tests", AT_ONCE if alone else 1)
    tagged = [
        ",".join([*(f"/{paths.ADDON}/tests/{name}" for name in names), f"-{BROWSER}"])
        for names in halves
    ]
    return _addon(environment, "test", tagged, at)


def tours(environment: Environment) -> Result:
    """Our tests in a browser, in a database of their own."""
    return _with_browser(environment, "test-browser", f"{BROWSER}/{paths.ADDON}")


def _with_browser(
    environment: Environment, purpose: str, tags: str, at: datetime | None = None
) -> Result:
    missing = browser.provide()
    result = _addon(environment, purpose, [tags], at)
    if missing:
        result.fail(missing)
    return result


def _addon(
    environment: Environment, purpose: str, tags: list[str], at: datetime | None = None
) -> Result:
    name = f"{purpose}-{environment.series}-{paths.checkout()}"
    install = ("-i", paths.ADDON)
    return _run(environment, name, install, tags, (paths.ADDON,), True, at)


def oca(environment: Environment) -> Result:
    """OCA's own tests of the base modules, with our addon absent."""
    name = f"test-oca-{environment.series}-{paths.checkout()}"
    tags = ",".join(f"/{module}" for module in OCA_MODULES)
    update = ("-u", ",".join(OCA_MODULES))
    return _run(environment, name, update, [tags], OCA_MODULES, False)


@dataclass
class _Part:
    """One Odoo that runs some of the tests."""

    database: str
    command: list[str]
    env: dict[str, str]
    log: Path
    status: int = -1


def _run(
    environment: Environment,
    name: str,
    action: tuple[str, str],
    tags: list[str],
    modules: tuple[str, ...],
    with_addon: bool,
    at: datetime | None = None,
) -> Result:
    parts = [
        _prepare(environment, f"{name}-{number}", action, each, with_addon, at)
        for number, each in enumerate(tags, 1)
    ]
    title = f"{' and '.join(modules)} inside Odoo {environment.series}"
    if at:
        title += f" on {at:{clock.FORMAT}}"
    _watch(parts, title)
    result = Result()
    for part in parts:
        with open(part.log, errors="replace") as lines:
            found = odoo_log.read(lines)
        one = odoo_log.judge(found, modules, part.status)
        if not with_addon:
            _check_complete(environment, found, one)
        elif found.summary is not None and part is parts[0]:
            bundles.keep(environment, part.database)
        if one.problems:
            one.fail(f"log: {part.log}")
        else:
            database.drop(environment, part.database)
        result.passed += one.passed
        result.failed += one.failed
        result.problems += one.problems
    return result


def _prepare(
    environment: Environment,
    name: str,
    action: tuple[str, str],
    tags: str,
    with_addon: bool,
    at: datetime | None,
) -> _Part:
    database.copy(environment, name)
    env = environment.env()
    if at:
        seconds = clock.offset(at)
        clock.move_database(environment, name, seconds)
        env = clock.env(seconds, env)
    if with_addon:  # Odoo builds all bundles before the first test over HTTP
        bundles.restore(environment, name)
    log = environment.logs / f"{name}.log"
    command = environment.command(
        *("-d", name, *action, "--test-tags", tags, "--stop-after-init"),
        *(f"--http-port={free_port()}", f"--logfile={log}", "--max-cron-threads=0"),
        with_addon=with_addon,
    )
    return _Part(name, command, env, log)


def split(folder: Path, parts: int) -> list[list[str]]:
    """The test files of a folder in parts with about as many tests each."""
    counts = {file.name: _count([file]) for file in sorted(folder.glob("test_*.py"))}
    found: list[list[str]] = [[] for _ in range(parts)]
    for name in sorted(counts, key=lambda name: (-counts[name], name)):
        smallest = min(found, key=lambda names: sum(counts[one] for one in names))
        smallest.append(name)
    return found


def _check_complete(
    environment: Environment, log: odoo_log.TestLog, result: Result
) -> None:
    """Every test method that OCA wrote for the WhatsApp gateway must have run."""
    module = OCA_MODULES[-1]
    written = count_tests(environment.oca / module / "tests")
    if log.count(module) != written:
        result.fail(f"{log.count(module)} of {written} tests of {module} ran")


def count_tests(folder: Path) -> int:
    """How many test methods the files of a folder define."""
    return _count(sorted(folder.glob("test_*.py")))


def _count(files: Iterable[Path]) -> int:
    trees = [ast.parse(file.read_text()) for file in files]
    return sum(
        isinstance(node, ast.FunctionDef) and node.name.startswith("test")
        for tree in trees
        for node in ast.walk(tree)
    )


def _watch(parts: list[_Part], title: str) -> None:
    """Run all of them to their end at once, and show which test is running."""
    with step(title) as show, contextlib.ExitStack() as stack:
        running = []
        for part in parts:
            part.log.unlink(missing_ok=True)
            out = stack.enter_context(open(part.log.with_suffix(".out"), "w"))
            process = subprocess.Popen(
                part.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=part.env,
                start_new_session=True,
            )
            started = processes.record("odoo-test", process.pid)
            stack.callback(processes.stop, started)
            running.append(process)
        for part, process in zip(parts, running, strict=True):
            _follow(process, part.log, show)
            part.status = process.returncode
    for part in parts:
        if not part.log.exists():
            part.log.write_text(part.log.with_suffix(".out").read_text())


def _follow(process: subprocess.Popen, log: Path, show: Callable[[str], None]) -> None:
    """Show the newest line of the log until the process ends."""
    position = 0
    while True:
        try:
            process.wait(timeout=0.3)
            return
        except subprocess.TimeoutExpired:
            pass
        if log.exists():
            with open(log, errors="replace") as lines:
                lines.seek(position)
                new = lines.readlines()
                position = lines.tell()
            if new:
                show(new[-1].rpartition(": ")[2].strip())
