# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The adaptation of the 18.0 gateway to 19.0."""

import ast

import pytest

from devkit import adapt, oca
from devkit.adapt import Rule
from devkit.console import Failure


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.py").write_text("old old\n")
    (tmp_path / "b.py").write_text("old\n")
    return tmp_path


def test_each_rule_replaces_all_that_it_counted(folder):
    adapt.adapt(folder, [Rule("a.py", "old", "new", times=2)])
    assert (folder / "a.py").read_text() == "new new\n"


@pytest.mark.parametrize("times", [0, 1, 3])
def test_another_count_fails_and_changes_nothing(folder, times):
    rules = [Rule("b.py", "old", "new"), Rule("a.py", "old", "new", times=times)]
    with pytest.raises(Failure, match=r"a\.py.*2 times, not"):
        adapt.adapt(folder, rules)
    assert (folder / "b.py").read_text() == "old\n"


def test_a_missing_file_fails(folder):
    with pytest.raises(Failure, match=r"misses c\.py"):
        adapt.adapt(folder, [Rule("c.py", "old", "new")])


def test_rules_of_one_file_build_on_each_other(folder):
    adapt.adapt(folder, [Rule("b.py", "old", "newer"), Rule("b.py", "newer", "done")])
    assert (folder / "b.py").read_text() == "done\n"


def test_the_pinned_wheels_take_every_rule():
    """Fetches the real wheels (or takes them from the cache)."""
    addons = oca.provide("19.0")
    module = addons / "mail_gateway_whatsapp"
    manifest = ast.literal_eval((module / "__manifest__.py").read_text())
    assert manifest["version"].startswith("19.0.")
    for file in module.rglob("*.py"):
        assert "_sql_constraints" not in file.read_text()
        ast.parse(file.read_text())


def test_the_rules_quote_little_of_the_other_text():
    for rule in adapt.WHATSAPP_RULES + adapt.GATEWAY_RULES:
        assert len(rule.old) < 130
