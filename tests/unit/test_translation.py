# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Whoever works in Spanish reads Spanish: the catalogues are complete."""

import ast
import csv
import re
from pathlib import Path

import polib
import pytest
from crm_tools import duty
from tools import expression, message, payloads, template_made, webhook

from devkit import paths

JAVASCRIPT = re.compile(r"""_t\(\s*(["'`])(.+?)\1""")
UNTRANSLATED = re.compile(r"""\s(aria-\w+="[^"]*[A-Z][^"]*")""")
PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[sd]")
TAG = re.compile(r"</?\w+")  # the words of its attributes are translated
TABLES = {
    "message.PHRASES": (message, message.PHRASES),
    "payloads.REFUSALS": (payloads, payloads.REFUSALS),
    "duty.WHY_OFF": (duty, duty.WHY_OFF),
    "expression.FAULTS": (expression, expression.FAULTS),
    "template_made.PROBLEMS": (template_made, template_made.PROBLEMS),
    "template_made.REASONS": (template_made, template_made.REASONS),
    "template_made.STATES": (template_made, template_made.STATES),
    "webhook.REFUSALS": (webhook, webhook.REFUSALS),
}


@pytest.fixture(scope="module", params=paths.addons())
def addon(request):
    """Each addon's folder."""
    return paths.REPO / request.param


def _template(addon):
    return polib.pofile(str(addon / "i18n" / f"{addon.name}.pot"))


@pytest.fixture(scope="module")
def template(addon):
    return _template(addon)


@pytest.fixture(scope="module")
def spanish(addon):
    return polib.pofile(str(addon / "i18n" / "es.po"))


def _words(catalogue):
    return {entry.msgid: entry for entry in catalogue if not entry.obsolete}


def test_every_word_is_translated(template, spanish):
    words = _words(spanish)
    missing = [
        msgid
        for msgid in _words(template)
        if msgid not in words or not words[msgid].translated()
    ]
    assert not missing


def test_nothing_is_translated_that_is_gone(template, spanish):
    assert not set(_words(spanish)) - set(_words(template))


def test_a_translation_belongs_to_the_same_places(template, spanish):
    """Odoo looks a word up by its places and by the kind of code it stands in."""
    words = _words(spanish)
    for msgid, entry in _words(template).items():
        assert words[msgid].occurrences == entry.occurrences, msgid
        assert words[msgid].comment == entry.comment, msgid


def test_translations_keep_placeholders_and_tags(spanish):
    for msgid, entry in _words(spanish).items():
        for kind in (PLACEHOLDER, TAG):
            there = sorted(found.group() for found in kind.finditer(entry.msgstr))
            here = sorted(found.group() for found in kind.finditer(msgid))
            assert there == here, msgid


def test_emoji_stay_in_front(spanish):
    for msgid, entry in _words(spanish).items():
        if ord(msgid[0]) > 0x2000:
            assert entry.msgstr.split()[0] == msgid.split()[0], msgid


@pytest.mark.parametrize("table", TABLES)
def test_every_source_of_the_tools_is_known_to_the_translators(table):
    """Python code of Odoo is translated by entries that say so."""
    module, sources = TABLES[table]
    words = _words(_template(Path(module.__file__).parents[1]))
    for key, source in sources.items():
        assert source in words, f"{table}[{key!r}]: export the catalogue anew"
        assert "odoo-python" in words[source].comment.split(), key


def test_the_dictionary_of_errors_is_known_to_the_translators():
    errors = paths.find("data/whatsapp.error.csv")
    words = _words(_template(errors.parents[1]))
    with errors.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            assert row["name"] in words and row["advice"] in words, row["code"]


def _marked(path):
    """The literals in calls of `_` and `self.env._` in a Python file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name == "_" and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


def test_every_marked_word_of_the_code_is_exported(addon, template):
    found = {word for path in addon.rglob("*.py") for word in _marked(path)}
    for path in addon.rglob("static/src/**/*.js"):
        found |= {word for _quote, word in JAVASCRIPT.findall(path.read_text())}
    assert found
    assert not found - set(_words(template))


def test_the_web_client_translates_each_attribute_of_ours(addon):
    """Odoo exports a label for screen readers, but the client shows it as it is."""
    found = {
        f"{path.name}: {label}"
        for path in addon.rglob("static/src/**/*.xml")
        for label in UNTRANSLATED.findall(path.read_text())
    }
    assert not found, "a title is translated, and read aloud, too"


def test_catalogues_tell_nothing_of_the_machine(addon, template, spanish):
    for catalogue in (template, spanish):
        assert not {"POT-Creation-Date", "PO-Revision-Date"} & set(catalogue.metadata)
        places = [place for entry in catalogue for place, _line in entry.occurrences]
        assert all(f":addons/{addon.name}/" in p for p in places if "code:" in p)
