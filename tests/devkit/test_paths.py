# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which addons there are, and what is asked of all of them or of the right one."""

import pytest

from devkit import environment, package, paths
from devkit.checks import in_odoo

ADDONS = {
    "crm_chat": ["crm", "hr", "queue"],
    "queue": ["mail_gateway_whatsapp"],
    "account_chat": ["account", "queue"],
    "sale_chat": ["crm_chat", "sale"],
}


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """A repository with one addon below, one in the middle, and two on top."""
    folder = tmp_path / "repo"
    for name, depends in ADDONS.items():
        (folder / name / "tests").mkdir(parents=True)
        manifest = {"name": name.title(), "depends": depends}
        (folder / name / "__manifest__.py").write_text(f"{manifest}\n")
    (folder / "deploy").mkdir()
    monkeypatch.setattr(paths, "REPO", folder)
    monkeypatch.setattr(paths, "TEST_ADDONS", folder / "tests" / "addons")
    return folder


def test_each_addon_stands_behind_those_that_it_needs(repo):
    assert paths.addons() == ["queue", "account_chat", "crm_chat", "sale_chat"]
    assert paths.below() == ["queue", "crm_chat"]
    assert paths.top() == ["account_chat", "sale_chat"]


def test_a_repository_with_one_addon(repo):
    for name in ("account_chat", "crm_chat", "sale_chat"):
        (repo / name / "__manifest__.py").unlink()
    assert paths.addons() == paths.top() == ["queue"]
    assert not paths.below()


def test_glue_comes_by_itself(repo):
    manifest = {"name": "Sale", "depends": ADDONS["sale_chat"], "auto_install": True}
    (repo / "sale_chat" / "__manifest__.py").write_text(f"{manifest}\n")
    assert paths.glue() == ["sale_chat"]
    assert paths.below() == ["queue"]
    assert paths.top() == ["account_chat", "crm_chat"]


def test_what_an_addon_stands_on(repo):
    assert paths.outside(["queue"]) == ["mail_gateway_whatsapp"]
    assert paths.outside(["crm_chat"]) == ["crm", "hr", "mail_gateway_whatsapp"]
    everything = ["account", "crm", "hr", "mail_gateway_whatsapp", "sale"]
    assert paths.outside(paths.addons()) == everything


def test_records_and_files_are_found_by_the_addon_that_has_them(repo):
    (repo / "crm_chat" / "views").mkdir()
    (repo / "crm_chat" / "views" / "a.xml").write_text('<record id="action_inbox"/>')
    assert paths.xml_id("action_inbox") == "crm_chat.action_inbox"
    assert paths.find("views/a.xml") == repo / "crm_chat" / "views" / "a.xml"
    assert paths.find("tests") == repo / "queue" / "tests"
    assert paths.parameter("graph_url") == "queue.graph_url"
    with pytest.raises(LookupError):
        paths.xml_id("action")


def test_odoo_sees_all_addons_and_none_that_is_gone(repo, cache):
    folder = environment.addon_folder()
    assert {link.name for link in folder.iterdir()} == set(ADDONS)
    (repo / "sale_chat" / "__manifest__.py").unlink()
    environment.addon_folder()
    assert {link.name for link in folder.iterdir()} == set(ADDONS) - {"sale_chat"}


def test_the_tests_of_all_addons_are_shared(repo):
    for name, tests in (("queue", 3), ("crm_chat", 2)):
        lines = [f"def test_{number}(): ...\n" for number in range(tests)]
        (repo / name / "tests" / "test_it.py").write_text("".join(lines))
    two = in_odoo.shared(paths.addons(), 2)
    served = ",".join(f"-{tag}" for tag in in_odoo.SERVED.values())
    assert two == [
        f"/queue/tests/test_it.py,{served}",
        f"/crm_chat/tests/test_it.py,{served}",
    ]
    (one,) = in_odoo.shared(paths.addons(), 1)
    assert in_odoo.modules_of(one) == ["queue", "crm_chat"]
    assert in_odoo.modules_of("slow/a:Test.test_b,-/c") == ["a"]


def test_the_clone_knows_its_own_commits_and_no_others():
    assert package.has_commit("HEAD")
    assert not package.has_commit("0" * 40)
