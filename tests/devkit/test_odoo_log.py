# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Reading Odoo's log: what passed, what failed, what was skipped or too loud."""

import pytest

from devkit.checks import in_odoo, odoo_log
from devkit.checks.result import Result

MODULE = "crm_whatsapp_gateway"
TESTS = f"odoo.addons.{MODULE}.tests.test_inbound"
GOOD = [
    ("INFO", "odoo.modules.loading", f"Loading module {MODULE} (55/55)"),
    ("INFO", TESTS, "Starting TestSetup.test_at_install ... "),
    ("WARNING", "odoo.http", "a warning that a test provokes"),
    ("INFO", "odoo.modules.loading", f"Module {MODULE} loaded in 1.1s, 411 queries"),
    ("INFO", "odoo.service.server", "Starting post tests"),
    ("INFO", TESTS, "Starting TestInbound.test_one ... "),
    ("ERROR", "odoo.sql_db", "an error that a test provokes"),
    ("INFO", TESTS, "Starting TestInbound.test_two ... "),
    ("INFO", "odoo.tests.result", "0 failed, 0 error(s) of 3 tests when loading"),
]


def _judge(entries, status=0):
    lines = [
        f"2026-01-02 03:04:05,678 42 {level} test-19.0 {logger}: {text}\n"
        for level, logger, text in entries
    ]
    return odoo_log.judge(odoo_log.read(lines), [MODULE], status)


def test_a_good_run():
    result = _judge(GOOD)
    assert (result.passed, result.failed, result.problems) == (3, 0, [])


@pytest.mark.parametrize("level", ["WARNING", "ERROR", "CRITICAL"])
@pytest.mark.parametrize("place", [0, 4])
def test_noise_while_installing_fails(level, place):
    noise = (level, "odoo.models", "two fields have the same label")
    result = _judge([*GOOD[:place], noise, *GOOD[place:]])
    assert result.problems == [f"while installing: {level} {noise[2]}"]


def test_a_failing_test_is_named_and_counted():
    failing = [
        *GOOD[:8],
        ("ERROR", TESTS, "FAIL: TestInbound.test_two"),
        ("ERROR", "odoo.tests.result", "1 failed, 0 error(s) of 3 tests"),
    ]
    result = _judge(failing, status=1)
    assert (result.passed, result.failed) == (2, 1)
    assert result.problems == ["failed: TestInbound.test_two"]


def test_the_end_of_a_traceback_is_shown():
    head = "2026-01-02 03:04:05,678 42 ERROR db"
    log = odoo_log.read(
        [
            f"{head} {TESTS}: FAIL: TestInbound.test_two\n",
            "Traceback (most recent call last):\n",
            "AssertionError: 1 != 2\n",
            " \n",
            f"{head} odoo.tests.result: 1 failed, 0 error(s) of 3 tests\n",
            "not of it\n",
        ]
    )
    (problem, *_others) = odoo_log.judge(log, [], 1).problems
    assert problem.splitlines() == [
        "failed: TestInbound.test_two",
        "    Traceback (most recent call last):",
        "    AssertionError: 1 != 2",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "websocket-client module is not installed",
        "skipped TestTours.test_inbox : Chrome executable not found",
    ],
)
def test_a_skipped_browser_test_fails(text):
    result = _judge([*GOOD[:6], ("WARNING", TESTS, text), *GOOD[6:]])
    assert result.problems == [f"skipped: {text}"]


def test_no_test_at_all_fails():
    quiet = [entry for entry in GOOD if entry[0] == "INFO" and entry[1] != TESTS]
    assert _judge(quiet).problems == [f"no test of {MODULE} ran"]


def test_a_run_that_breaks_off_fails():
    assert "did not come to the end" in _judge(GOOD[:6], status=-9).problems[-1]


def test_a_bad_status_alone_fails():
    assert _judge(GOOD, status=1).problems == ["Odoo ended with status 1"]


def test_a_problem_counts_as_a_failure():
    result = Result(passed=3)
    result.fail("noise")
    result.settle()
    assert (result.passed, result.failed) == (3, 1)


def test_a_step_without_tests_is_a_failure():
    result = Result()
    result.settle()
    assert (result.failed, result.problems) == (1, ["no test ran"])


def test_test_methods_are_counted_in_the_source(tmp_path):
    (tmp_path / "test_a.py").write_text(
        "class T:\n    def setUp(self): ...\n"
        "    def test_1(self): ...\n    def test_2(self): ...\n"
    )
    assert in_odoo.count_tests(tmp_path.iterdir()) == 2


def test_tests_are_shared_by_their_number(tmp_path):
    for name, tests in (("a", 5), ("b", 3), ("c", 3), ("d", 0)):
        lines = [f"    def test_{number}(self): ...\n" for number in range(tests)]
        text = "class T:\n    x = 1\n" + "".join(lines)
        (tmp_path / f"test_{name}.py").write_text(text)
    parts = in_odoo.split(tmp_path.iterdir(), 2)
    halves = [[file.name for file in part] for part in parts]
    assert halves == [["test_a.py", "test_d.py"], ["test_b.py", "test_c.py"]]
    assert len(in_odoo.split(list(tmp_path.iterdir())[:1], 2)) == 1
