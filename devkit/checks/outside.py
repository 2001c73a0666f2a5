# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Tests that run outside Odoo, with pytest."""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from devkit import paths
from devkit.checks.result import Result
from devkit.console import say

# These wait for minutes, browsers and time-outs more than they work: two files at once
AT_ONCE = {"e2e": ("-n", "2", "--dist", "loadfile")}


def pytest(
    folder: str, options: tuple[str, ...] = (), extra_env: dict[str, str] | None = None
) -> Result:
    """Run the tests of one folder below tests/; what they print is shown."""
    tests = paths.REPO / "tests" / folder
    if not tests.is_dir():
        result = Result()
        result.fail(f"there is no folder tests/{folder}")
        return result
    say(f"  ... tests/{folder}")
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        command = [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *(str(tests), f"--junitxml={report}", *options),
            *AT_ONCE.get(folder, ()),
        ]
        env = {**os.environ, **(extra_env or {})}
        status = subprocess.run(command, cwd=paths.REPO, env=env).returncode
        return read_report(report, status)


def read_report(report: Path, status: int) -> Result:
    """Count what pytest reports; a skipped test is named, as it proves nothing."""
    result = Result()
    if not report.exists():
        result.fail(f"pytest ended with status {status}")
        return result
    for case in ET.parse(report).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            result.failed += 1
            result.fail(f"failed: {name}")
        elif case.find("skipped") is not None:
            result.fail(f"skipped: {name}: {case.find('skipped').get('message')}")
        else:
            result.passed += 1
    if status and not result.problems:
        result.fail(f"pytest ended with status {status}")
    return result
