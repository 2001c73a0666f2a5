# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Tests that run inside Odoo: ours, and OCA's own of the two modules below."""

import ast
import contextlib
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from devkit import bundles, clock, database, paths, prepared, processes
from devkit.checks import browser, odoo_log
from devkit.checks.result import Result
from devkit.console import step
from devkit.environment import Environment
from devkit.server import free_port

OCA_MODULES = ("mail_gateway", "mail_gateway_whatsapp")
# the tags of our tests that need a server: before these Odoo builds all bundles
SERVED = {"BROWSER": "whatsapp_browser", "HTTP": "whatsapp_http"}
AT_ONCE = 2  # Odoos that share the addon's tests, one for each processor


def addon(
    environment: Environment,
    tags: str | None = None,
    at: datetime | None = None,
    alone: bool = False,
) -> Result:
    """Install our addons into copies of the prepared database and test them there.

    `tags` asks for some tests, in Odoo's own notation, also for those with a server;
    `at` is the moment (UTC) at which all of it begins, for Odoo and the database.
    If they run `alone`, without other steps beside them, several Odoos share them, and
    those of `each` follow.
    """
    if tags:
        return _with_browser(environment, "test", tags, at=at)
    parts = AT_ONCE if alone else 1
    result = _run(environment, "test", shared(paths.top(), parts), at=at)
    if alone:
        result.add(each(environment, at))
    return result


def each(environment: Environment, at: datetime | None = None) -> Result:
    """Install and test those that others of ours build on without these, each alone;
    so the addons of `tests/addons`, which override ours. All the glue is one of them.
    """
    small = {name: shared([name], 1)[0] for name in paths.below()}
    if paths.glue():
        small[",".join(paths.glue())] = shared(paths.glue(), 1)[0]
    small |= {name: f"/{name}" for name in paths.overriding()}
    return _run(environment, "test", [*small.values()], only=[*small], at=at)


def shared(addons: list[str], parts: int) -> list[str]:
    """Tags of Odoo for the tests of these addons, in so many parts."""
    without = [f"-{tag}" for tag in SERVED.values()]
    return [
        ",".join([*(f"/{file.relative_to(paths.REPO)}" for file in part), *without])
        for part in split(tests_of(addons), parts)
    ]


def tours(environment: Environment) -> Result:
    """Our tests in a browser or over HTTP, in a copy of the database that has ours.

    Those of glue have a database of their own.
    """
    glue = paths.glue()
    result = Result()
    for addons in ([name for name in paths.addons() if name not in glue], glue):
        tags = {
            f"{tag}/{file.relative_to(paths.REPO).parts[0]}": None
            for file in tests_of(addons)
            for name, tag in SERVED.items()
            if f"@tagged({name}" in file.read_text()
        }
        base = None if addons is glue else prepared.ours(environment)
        if tags:
            all_tags = ",".join(tags)
            result.add(_with_browser(environment, "test-browser", all_tags, base=base))
    return result


def _with_browser(
    environment: Environment, purpose: str, tags: str, **options
) -> Result:
    missing = browser.provide()
    glue = paths.glue()
    only = [",".join(glue)] if set(modules_of(tags)) & {*glue} else []
    result = _run(environment, purpose, [tags], only=only, served=True, **options)
    if missing:
        result.fail(missing)
    return result


def oca(environment: Environment) -> Result:
    """OCA's own tests of the base modules, with our addons absent."""
    tags = ",".join(f"/{module}" for module in OCA_MODULES)
    return _run(environment, "test-oca", [tags], ours=False)


@dataclass
class _Part:
    """One Odoo that runs some of the tests, in a database of its own."""

    environment: Environment
    database: str
    base: str
    action: tuple[str, ...]
    tags: str
    at: datetime | None
    status: int = -1

    def __post_init__(self) -> None:
        self.log = self.environment.logs / f"{self.database}.log"
        self.env = self.environment.env()

    def prepare(self, served: bool) -> None:
        """Make the database with the time of its own, and with bundles for a server."""
        environment, name = self.environment, self.database
        database.copy(environment, name, self.base)
        if self.at:
            seconds = clock.offset(self.at)
            clock.move_database(environment, name, seconds)
            self.env = clock.env(seconds, self.env)
        if served:  # Odoo builds all bundles before the first test over HTTP
            bundles.restore(environment, name)

    def command(self) -> list[str]:
        """Odoo; OCA's tests see no addon of ours."""
        return self.environment.command(
            *("-d", self.database, *self.action, "--test-tags", self.tags),
            *("--stop-after-init", f"--http-port={free_port()}"),
            *(f"--logfile={self.log}", "--max-cron-threads=0"),
            with_addon="-u" not in self.action,
        )


def modules_of(tags: str) -> list[str]:
    """The modules whose tests the tags ask for."""
    return list(dict.fromkeys(re.findall(r"(?:^|,)\w*/(\w+)", tags)))


def _run(
    environment: Environment,
    purpose: str,
    tags: list[str],
    *,
    ours: bool = True,
    only: Sequence[str] = (),
    at: datetime | None = None,
    served: bool = False,
    base: str | None = None,
) -> Result:
    """Install, test in as many Odoos as there are tags, and judge their logs.

    With `ours` all our addons but glue are installed, or for each of the tags `only`
    one (or several, with commas between) and what it needs; without, OCA's modules are
    updated. In a copy of `base` they are installed already. `served` tells of tests
    that need a server.
    """
    parts = []
    for number, each in enumerate(tags, 1):
        alone = only[number - 1] if only else ""
        action = ("-i", alone or ",".join(paths.top()))
        if base:
            action = ()
        elif not ours:
            action = ("-u", ",".join(OCA_MODULES))
        addons = list(filter(None, alone.split(",")))
        names = (*addons[:1], environment.series, paths.checkout(), str(number))
        name = "-".join((purpose, *names))
        source = base or database.template(environment, addons)
        part = _Part(environment, name, source, action, each, at)
        part.prepare(served)
        parts.append(part)
    modules = modules_of(",".join(tags))
    title = f"{' and '.join(modules)} inside Odoo {environment.series}"
    if only:
        title += ", each alone"
    if at:
        title += f" on {at:{clock.FORMAT}}"
    _watch(parts, title)
    result = Result()
    for part in parts:
        with open(part.log, errors="replace") as lines:
            found = odoo_log.read(lines)
        one = odoo_log.judge(found, modules_of(part.tags), part.status)
        if not ours:
            _check_complete(environment, found, one)
        elif served and not only and found.summary is not None:
            bundles.keep(environment, part.database)
        if one.problems:
            one.fail(f"log: {part.log}")
        else:
            database.drop(environment, part.database)
        result.add(one)
    return result


def tests_of(addons: Iterable[str]) -> list[Path]:
    """The files with tests of these addons."""
    folders = [paths.REPO / name / "tests" for name in addons]
    return [file for folder in folders for file in sorted(folder.glob("test_*.py"))]


def split(files: Iterable[Path], parts: int) -> list[list[Path]]:
    """These files in parts with about as many tests each; none is empty."""
    counts = {file: count_tests([file]) for file in files}
    found: list[list[Path]] = [[] for _ in range(parts)]
    for file in sorted(counts, key=lambda file: (-counts[file], file)):
        smallest = min(found, key=lambda part: sum(counts[one] for one in part))
        smallest.append(file)
    return list(filter(None, found))


def _check_complete(
    environment: Environment, log: odoo_log.TestLog, result: Result
) -> None:
    """Every test method that OCA wrote for the WhatsApp gateway must have run."""
    module = OCA_MODULES[-1]
    written = count_tests((environment.oca / module / "tests").glob("test_*.py"))
    if log.count(module) != written:
        result.fail(f"{log.count(module)} of {written} tests of {module} ran")


def count_tests(files: Iterable[Path]) -> int:
    """How many test methods these files define."""
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
            out = part.log.with_suffix(".out")
            process, started = processes.start(
                "odoo-test", part.command(), out, env=part.env
            )
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
