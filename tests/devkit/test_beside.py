# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Steps of the tests that run in a second process."""

import threading
import time
from collections import deque
from datetime import datetime

import pytest

from devkit.checks import beside, runner


def test_their_results_come_back(capfd):
    with beside.steps(deque(["simulator"]), ["-k", "doctests"]) as await_results:
        results = await_results()
    assert results.keys() == {"simulator"}
    assert results["simulator"].passed > 0
    assert results["simulator"].failed == 0
    assert results["simulator"].problems == []
    assert " passed" in capfd.readouterr().out


def test_what_fails_to_start_is_a_failure():
    with beside.steps(deque(["simulator"]), ["--no-such-option"]) as await_results:
        results = await_results()
    assert results["simulator"].failed == 1
    assert "did not come to its end" in results["simulator"].problems[0]


def test_no_test_at_all_is_a_failure():
    with beside.steps(
        deque(["simulator"]), ["-k", "nothing_of_this_name"]
    ) as await_results:
        results = await_results()
    assert results["simulator"].failed == 1


def test_an_error_here_ends_them():
    left = deque(["lint", "simulator"])
    started = time.monotonic()
    with pytest.raises(ZeroDivisionError), beside.steps(left, []):
        while len(left) == 2:
            time.sleep(0.01)
        time.sleep(0.5)  # until it is there
        raise ZeroDivisionError
    assert time.monotonic() - started < beside.PATIENCE
    assert not [one for one in threading.enumerate() if isinstance(one, beside._Lane)]
    assert list(left) == ["lint"], "nothing is begun any more"


def test_each_step_runs_once_and_the_last_one_first():
    left = deque(["lint", "simulator"])
    with beside.steps(left, ["-k", "doctests"]) as await_results:
        while len(left) == 2:
            time.sleep(0.01)
        assert left.popleft() == "lint", "the other end is somebody else's"
        assert await_results().keys() == {"simulator"}


def test_every_step_has_its_place_in_the_order():
    assert sorted(runner.ORDER) == sorted(runner.STEPS)


def test_no_addon_is_forgotten_when_steps_run_beside_each_other():
    assert runner.steps_of(runner.Wish()) == list(runner.ORDER)
    assert runner.steps_of(runner.Wish(["oca", "addon"])) == ["addon", "each", "oca"]
    assert runner.steps_of(runner.Wish(["addon"])) == ["addon"]
    assert runner.steps_of(runner.Wish(["oca", "addon"], tags="/a")) == ["addon", "oca"]


def test_the_other_process_is_told_all_that_was_wished():
    at = datetime(2028, 2, 29, 23, 50)
    wish = runner.Wish(keyword="a", tags="/b", odoo=["--series=18.0"], at=at)
    wanted = ("--series=18.0", "-k", "a", "--tags=/b", "--at=2028-02-29 23:50")
    assert wish.options == wanted
