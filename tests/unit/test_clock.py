# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The addons ask the time in one way, so that a test can freeze all of it."""

import re

from devkit import paths

# how fast several hosts send together is measured by the one clock that they share
MEASURES = "rate_limit.py"
# `fields.Datetime.now()` and `cr.now()`, the date of what Odoo writes, are frozen by
# the tests' `at`; `monotonic` measures how long something takes.
OTHER_CLOCKS = re.compile(
    r"\bdatetime\.(now|utcnow|today)\(|\bdate\.today\(|\btime\.time\(|(?<![.\w])time\(\)"
    r"|(?i:\b(clock|statement|transaction)_timestamp\b|\bCURRENT_(TIMESTAMP|DATE)\b)"
    r"|(?<![.\w])(?i:now)\(\)"
)


def test_no_other_clock_is_asked():
    files = [
        path
        for name in paths.addons()
        for path in (paths.REPO / name).rglob("*.py")
        if "tests" not in path.relative_to(paths.REPO).parts and path.name != MEASURES
    ]
    assert files
    found = [
        f"{path.relative_to(paths.REPO)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if OTHER_CLOCKS.search(line)
    ]
    assert found == []
