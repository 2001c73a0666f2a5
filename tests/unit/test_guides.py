# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The guides call things by their names, link to what exists, and are well spelt."""

import ast
import doctest
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import unquote, urlsplit

import guides
import polib
import pytest
from guides import Guide
from spylls.hunspell import Dictionary
from tools.parameters import PARAMETERS, PREFIX

from devkit import dictionary, paths, readme
from devkit.cli import Step, app

REPO = paths.REPO
ADDONS = [REPO / name for name in paths.addons()]
ADDON = REPO / "crm_whatsapp_gateway"  # the one with the guides
SPANISH = sorted((ADDON / "docs").glob("*.md"))
ENGLISH = [REPO / "README.md"]
ENGLISH += [path for addon in ADDONS for path in addon.glob("README.md")]
ENGLISH += [path for addon in ADDONS for path in addon.glob("readme/*.md")]
LISTS = Path(__file__).parent / "lists"
TEST_NAME = re.compile(r"`(test_\w+)`")


def _list(name):
    """The lines of a list; a comment says why they are there."""
    lines = (LISTS / f"{name}.txt").read_text().splitlines()
    return {line.strip() for line in lines if line and not line.startswith("#")}


@pytest.fixture(params=SPANISH, ids=lambda path: path.name)
def guide(request):
    return Guide(request.param)


@pytest.fixture(params=SPANISH + ENGLISH, ids=lambda path: str(path.relative_to(REPO)))
def page(request):
    return Guide(request.param)


@pytest.fixture(scope="module")
def spanish():
    files = [addon / "i18n" / "es.po" for addon in ADDONS]
    catalogues = [polib.pofile(str(file)) for file in files if file.exists()]
    return {entry.msgid: entry.msgstr for each in catalogues for entry in each}


# ------------------------------------------------------------- links


def test_links_lead_somewhere(page):
    for link in page.links:
        address = urlsplit(link.text)
        where = f"{link.guide}:{link.line}: {link.text}"
        if address.scheme:
            assert address.scheme == "https" and "." in address.netloc, where
            continue
        target = page.path.parent / address.path if address.path else page.path
        assert target.exists(), where
        if address.fragment:
            assert unquote(address.fragment) in Guide(target).anchors, where


def test_the_ways_of_the_guides_are_closed():
    """Each guide is reached from the first one."""
    first = Guide(ADDON / "docs" / "README.md")
    reached = {urlsplit(link.text).path for link in first.links}
    assert {path.name for path in SPANISH} - {"README.md"} <= reached


def test_every_picture_of_the_guides_is_shown():
    shown = {
        (Path(page.path.parent) / link.text).resolve()
        for page in map(Guide, SPANISH)
        for link in page.links
    }
    pictures = set((ADDON / "docs" / "img").glob("*.png"))
    assert pictures and pictures <= shown


def test_the_description_shows_what_is_there():
    folders = [addon / "static" / "description" for addon in ADDONS]
    described = [folder for folder in folders if (folder / "index.html").exists()]
    assert ADDON / "static" / "description" in described
    for folder in described:
        page = (folder / "index.html").read_text()
        shown = set(re.findall(r'src="([^"]+)"', page))
        assert shown == {path.name for path in folder.glob("*.png")} - {"icon.png"}
        assert all((folder / name).stat().st_size <= 150 * 1024 for name in shown)
        assert "<script" not in page and "class=" not in page


# ------------------------------------------------------------- names


def _menus(spanish):
    """Our menus, as paths of Spanish words."""
    items = {}
    for addon in ADDONS:
        for file in sorted((addon / "views").glob("*.xml")):
            for item in ET.parse(file).iter("menuitem"):
                values = {"parent": "", **item.attrib}
                for name in ("id", "parent"):
                    if values[name] and "." not in values[name]:
                        values[name] = f"{addon.name}.{values[name]}"
                # an addon may hang the menu of another one elsewhere
                items[values["id"]] = {**items.get(values["id"], {}), **values}

    def path(name):
        if name not in items:  # of Odoo, or of OCA
            return ["CRM"] if name == "crm.crm_menu_root" else [name]
        return [*path(items[name]["parent"]), spanish[items[name]["name"]]]

    return [path(name) for name in items]


def test_our_menus_are_called_by_their_names(guide, spanish):
    menus = _menus(spanish)
    for named in guide.menus:
        if named.path[:2] == ["CRM", "WhatsApp"]:
            assert named.path in menus, f"{named.guide}:{named.line}: {named.text}"


def test_what_is_clicked_and_filled_in_is_called_by_its_name(guide, spanish):
    known = set(spanish.values()) | _list("words_of_odoo") | _list("words_of_meta")
    for named in guide.clicked + guide.fields:
        text = named.text.rstrip(".,;…")
        assert text in known, f"{named.guide}:{named.line}: {named.text}"


def test_no_name_of_a_list_is_left_over():
    """A list must not excuse what no guide says any more."""
    said = {
        named.text.rstrip(".,;…")
        for guide in map(Guide, SPANISH)
        for named in guide.clicked + guide.fields
    }
    for name in ("words_of_odoo", "words_of_meta"):
        assert not _list(name) - said, name


# ------------------------------------------------------------- tests that are named


def _tests():
    """The names of all tests of the project."""
    files = [path for addon in ADDONS for path in addon.glob("tests/test_*.py")]
    files += (REPO / "tests").rglob("test_*.py")
    return {
        node.name
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef)
    }


def test_every_test_that_a_guide_names_exists():
    named = set(TEST_NAME.findall((ADDON / "docs" / "TESTING.md").read_text()))
    assert len(named) >= 10
    assert not named - _tests()


def test_every_acceptance_test_names_its_automatic_one():
    text = (ADDON / "docs" / "TESTING.md").read_text()
    rows = re.findall(r"^\| [A-Z]\d+ \|.*$", text, re.M)
    assert len(rows) >= 10
    for row in rows:
        assert TEST_NAME.search(row), row


# ------------------------------------------------------------- commands, parameters


def test_every_command_of_a_page_exists(page):
    commands = {
        command.name or command.callback.__name__ for command in app.registered_commands
    }
    text = page.path.read_text()
    for named in re.findall(r"\./dev ([a-z]+)", text):
        assert named in commands, named
    for step in re.findall(r"--only[= ]([a-z0-9]+)", text):
        assert step in list(Step), step


def test_every_parameter_of_a_guide_is_one_of_the_table(guide):
    ours = "|".join(paths.addons())
    text = guide.path.read_text()
    for addon, name in re.findall(rf"`({ours})\.(\w+)`", text):
        assert f"{addon}." == PREFIX and name in PARAMETERS, name


def test_the_guide_lists_every_parameter_with_its_default_and_its_bounds():
    text = (ADDON / "docs" / "CONFIGURACION.md").read_text()
    rows = re.findall(
        rf"^\| `{re.escape(PREFIX)}(\w+)` \| (.*?) \| (.*?) \|", text, re.M
    )
    listed = {name: default.strip("`") for name, default, _allowed in rows}
    assert listed == {name: each.default for name, each in PARAMETERS.items()}
    for name, _default, allowed in rows:
        bounds = re.findall(r"\d+", PARAMETERS[name].allowed)
        assert set(re.findall(r"\d+", allowed)) == set(bounds), name


def test_every_parameter_that_the_code_reads_is_one_of_the_table():
    code = "".join(path.read_text() for addon in ADDONS for path in addon.rglob("*.py"))
    read = set(re.findall(r'_whatsapp_value\(\s*"(\w+)"', code))
    read |= {f"{queue}_slots" for queue in ("inbound", "media", "outbound")}
    assert read == set(PARAMETERS)
    # not past the table
    ours = "|".join(paths.addons())
    assert not re.findall(rf'et_param\(\s*f?"({ours})', _shipped_code())


def _shipped_code():
    files = [
        path
        for addon in ADDONS
        for path in addon.rglob("*.py")
        if "tests" not in path.relative_to(addon).parts
    ]
    return "".join(path.read_text() for path in files)


# ------------------------------------------------------------- spelling


@pytest.fixture(scope="module")
def speller():
    return Dictionary.from_files(str(dictionary.provide()))


def test_the_guides_are_well_spelt(guide, speller):
    own = _list("spelling")
    wrong = {
        f"{named.line}: {named.text}"
        for named in guide.words
        if named.text not in own and not speller.lookup(named.text)
    }
    assert not wrong


def test_no_word_of_the_list_is_left_over():
    said = {named.text for guide in map(Guide, SPANISH) for named in guide.words}
    assert not _list("spelling") - said


def test_the_speller_finds_mistakes(speller):
    """A checker that likes everything would prove nothing."""
    assert not any(map(speller.lookup, ["conversasión", "mensage", "escrivir"]))
    assert all(map(speller.lookup, ["conversación", "mensaje", "escribir"]))


def test_examples_hold():
    assert doctest.testmod(guides).failed == 0


# ------------------------------------------------------------- the addon's README


@pytest.mark.parametrize("addon", ADDONS, ids=lambda addon: addon.name)
def test_the_readme_is_put_together_from_its_fragments(addon):
    message = "run ./dev lint --fix"
    assert (addon / "README.md").read_text() == readme.text(addon), message
