# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Reading the log of an Odoo that ran tests.

Odoo's exit status is 0 when a tag matches no test at all, when a browser test is
skipped for want of a browser, and when an installation only warned. The log tells.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from devkit.checks.result import Result

LINE = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ \d+ (?P<level>[A-Z]+) \S+ "
    r"(?P<logger>[^\s:]+): (?P<text>.*)$"
)
STARTING = re.compile(r"Starting (?P<test>\w+\.test\w*)")
BROKEN = re.compile(r"(?:FAIL|ERROR): (?P<test>.+)")
SUMMARY = re.compile(r"(?P<failed>\d+) failed, (?P<errors>\d+) error\(s\) of \d+ tests")
SKIPPED = re.compile(
    r"^skipped |websocket-client module is not installed|Chrome executable not found"
)
TRACEBACK_LINES = 12  # its end is what tells
LOUD = ("WARNING", "ERROR", "CRITICAL")


@dataclass
class TestLog:
    """What a log says about an installation and the tests after it."""

    started: set[tuple[str, str]] = field(default_factory=set)  # module, test
    broken: dict[str, list[str]] = field(default_factory=dict)  # test, traceback
    skipped: list[str] = field(default_factory=list)
    install_noise: list[str] = field(default_factory=list)
    summary: int | None = None  # failures and errors, as Odoo counts them

    def count(self, module: str) -> int:
        """How many tests of this module were started."""
        return sum(1 for name, _test in self.started if name == module)


def read(lines: Iterable[str]) -> TestLog:
    """Read a log from its first line to its last."""
    log = TestLog()
    testing = False
    traceback: list[str] = []
    for line in lines:
        found = LINE.match(line.rstrip())
        if not found:
            traceback.append(line.rstrip())
            continue
        traceback = []
        level, logger, text = found["level"], found["logger"], found["text"]
        starting = STARTING.match(text)
        if starting:
            testing = True
            log.started.add((_module(logger), starting["test"]))
        elif logger == "odoo.modules.loading" and text.startswith("Module "):
            testing = False  # the tests at installation are over
        elif text.startswith("Starting post tests"):
            testing = True
        _note(log, level, text, testing, traceback)
    return log


def _note(
    log: TestLog, level: str, text: str, testing: bool, traceback: list[str]
) -> None:
    """Keep what is wrong in one line; `traceback` will hold the lines after it."""
    if SKIPPED.search(text):
        log.skipped.append(text)
    broken = BROKEN.match(text)
    if broken:
        log.broken[broken["test"]] = traceback
    elif level in LOUD and not testing:
        log.install_noise.append(f"{level} {text}")
    summary = SUMMARY.search(text)
    if summary:
        log.summary = int(summary["failed"]) + int(summary["errors"])


def _module(logger: str) -> str:
    """The addon whose test logs this.

    >>> _module("odoo.addons.mail_gateway.tests.test_gateway")
    'mail_gateway'
    """
    parts = logger.split(".")
    return parts[2] if parts[:2] == ["odoo", "addons"] else parts[0]


def judge(log: TestLog, modules: Iterable[str], status: int) -> Result:
    """The result of a run that should have tested these modules."""
    result = Result()
    result.failed = max(len(log.broken), log.summary or 0)
    result.passed = max(len(log.started) - result.failed, 0)
    for test, traceback in sorted(log.broken.items()):
        end = "\n    ".join(["", *filter(None, traceback[-TRACEBACK_LINES:])])
        result.fail(f"failed: {test}{end}")
    for noise in log.install_noise:
        result.fail(f"while installing: {noise}")
    for text in log.skipped:
        result.fail(f"skipped: {text}")
    for module in modules:
        if not log.count(module):
            result.fail(f"no test of {module} ran")
    if status and not result.problems:
        result.fail(f"Odoo ended with status {status}")
    if log.summary is None:
        result.fail("Odoo did not come to the end of its tests")
    return result
