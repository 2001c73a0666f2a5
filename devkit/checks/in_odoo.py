# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Tests that run inside Odoo: ours, and OCA's own of the two base modules."""

import ast
import subprocess
from collections.abc import Callable
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


def addon(
    environment: Environment, tags: str | None = None, at: datetime | None = None
) -> Result:
    """Install our addon into a copy of the prepared database and test it there.

    `tags` asks for some tests, in Odoo's own notation, also for those in a browser;
    `at` is the moment (UTC) at which all of it begins, for Odoo and the database.
    """
    if not tags:
        return _addon(environment, "test", f"/{paths.ADDON},-{BROWSER}", at)
    return _with_browser(environment, "test", tags, at)


def tours(environment: Environment) -> Result:
    """Our tests in a browser, in a database of their own."""
    return _with_browser(environment, "test-browser", f"{BROWSER}/{paths.ADDON}")


def _with_browser(
    environment: Environment, purpose: str, tags: str, at: datetime | None = None
) -> Result:
    missing = browser.provide()
    result = _addon(environment, purpose, tags, at)
    if missing:
        result.fail(missing)
    return result


def _addon(
    environment: Environment, purpose: str, tags: str, at: datetime | None = None
) -> Result:
    name = f"{purpose}-{environment.series}-{paths.checkout()}"
    install = ("-i", paths.ADDON)
    return _run(environment, name, install, tags, (paths.ADDON,), True, at)


def oca(environment: Environment) -> Result:
    """OCA's own tests of the base modules, with our addon absent."""
    name = f"test-oca-{environment.series}-{paths.checkout()}"
    tags = ",".join(f"/{module}" for module in OCA_MODULES)
    update = ("-u", ",".join(OCA_MODULES))
    return _run(environment, name, update, tags, OCA_MODULES, False)


def _run(
    environment: Environment,
    name: str,
    action: tuple[str, str],
    tags: str,
    modules: tuple[str, ...],
    with_addon: bool,
    at: datetime | None = None,
) -> Result:
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
    title = f"{' and '.join(modules)} inside Odoo {environment.series}"
    if at:
        title += f" on {at:{clock.FORMAT}}"
    status = _watch(command, env, log, title)
    with open(log, errors="replace") as lines:
        found = odoo_log.read(lines)
    result = odoo_log.judge(found, modules, status)
    if not with_addon:
        _check_complete(environment, found, result)
    if with_addon and found.summary is not None:
        bundles.keep(environment, name)
    if result.problems:
        result.fail(f"log: {log}")
    else:
        database.drop(environment, name)
    return result


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
    trees = [ast.parse(file.read_text()) for file in sorted(folder.glob("test_*.py"))]
    return sum(
        isinstance(node, ast.FunctionDef) and node.name.startswith("test")
        for tree in trees
        for node in ast.walk(tree)
    )


def _watch(command: list[str], env: dict[str, str], log: Path, title: str) -> int:
    """Run Odoo to its end and show which test is running. Returns its status."""
    log.unlink(missing_ok=True)
    with step(title) as show, open(log.with_suffix(".out"), "w") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
        )
        started = processes.record("odoo-test", process.pid)
        try:
            _follow(process, log, show)
        finally:
            processes.stop(started)
    if not log.exists():
        log.write_text(log.with_suffix(".out").read_text())
    return process.returncode


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
