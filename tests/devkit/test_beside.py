# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Steps of the tests that run in a second process."""

import time

import pytest

from devkit.checks import beside


def test_their_results_come_back(capfd):
    with beside.steps(["unit"], ["-k", "test_decisions"]) as await_results:
        results = await_results()
    assert results.keys() == {"unit"}
    assert results["unit"].passed > 0
    assert results["unit"].failed == 0
    assert results["unit"].problems == []
    assert " passed" in capfd.readouterr().out


def test_what_fails_to_start_is_a_failure():
    with beside.steps(["unit"], ["--no-such-option"]) as await_results:
        results = await_results()
    assert results["unit"].failed == 1
    assert "did not come to its end" in results["unit"].problems[0]


def test_no_test_at_all_is_a_failure():
    with beside.steps(["unit"], ["-k", "nothing_of_this_name"]) as await_results:
        results = await_results()
    assert results["unit"].failed == 1


def test_an_error_here_ends_them():
    started = time.monotonic()
    with pytest.raises(ZeroDivisionError), beside.steps(["simulator"], []):
        raise ZeroDivisionError
    assert time.monotonic() - started < beside.PATIENCE
