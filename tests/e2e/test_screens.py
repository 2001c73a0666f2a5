# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Our screens as people in Spain and Mexico see them, with eyes and without.

The scenes of the guides' pictures: axe looks at each, and nothing is in English.
"""

import json
import os
from importlib.resources import files
from pathlib import Path

import polib
import pytest

from devkit import paths, screenshots

SERIES = os.environ.get("CWG_SERIES", paths.DEFAULT_SERIES)
ODOO = Path(os.environ["ODOO_PATH"]) if os.environ.get("ODOO_PATH") else None
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
SHOTS = {shot.name: shot for shot in (*screenshots.SHOTS, *screenshots.MORE)}
LOOKED_AT = (
    *("bandeja", "chat", "telefono", "ventana", "plantilla"),
    *("plantilla con documento", "plantilla con imagen", "plantilla con lugar"),
    *("plantilla en el teléfono", "pasarela", "reglas", "informe", "atencion"),
    *("comerciales", "respuestas", "asignaciones", "salientes", "lista"),
    *("plantillas", "lista de plantillas", "plantillas enviadas", "plantilla nueva"),
    *("plantilla probada", "plantilla rechazada"),
)
# Where our screens are, and what in them is drawn by Odoo alone
WITHIN = [".o_action_manager", ".o-overlay-container", ".o-mail-ChatWindow"]
OF_ODOO = [
    *(".o_control_panel", ".o-mail-Form-chatter", ".o_notebook_headers"),
    *(".o_statusbar_status", ".o_m2o_avatar", ".o_clipboard_button"),
    *(".o-mail-Message", ".o-mail-DateSection", ".o-mail-Composer"),
    *(".o-mail-ActionPanel-header", ".o-mail-Discuss-header"),
    *(".o_lead_opportunity_form", ".o_select_menu", ".o-autocomplete"),
    *(".o_field_tags", ".o_list_renderer .o-checkbox", ".o_field_list_activity"),
    *(".o_list_record_selector", ".o_optional_columns_dropdown", ".o_list_button"),
    ".o_field_many2many_binary",
]
# of the window around what is ours
RULES_OF_ODOO = {"aria-dialog-name", "tabindex"}
LOOK = """
(([within, ofOdoo]) => {
    const there = (selectors) => selectors.filter((one) => document.querySelector(one));
    return axe.run(
        {include: there(within), exclude: there(ofOdoo)},
        {resultTypes: ["violations"]}
    ).then(({violations}) => violations
        .filter(({impact}) => ["serious", "critical"].includes(impact))
        .flatMap(({id, nodes}) => nodes.map((node) => [id, node.html.slice(0, 200)])));
})(%s)
"""
TEXTS = """
((within) => {
    const found = new Set();
    for (const root of document.querySelectorAll(within.join(","))) {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) found.add(walker.currentNode.textContent);
        for (const name of ["title", "aria-label", "placeholder", "data-tooltip"]) {
            root.querySelectorAll(`[${name}]`).forEach(
                (element) => found.add(element.getAttribute(name)));
        }
    }
    return [...found].map((text) => text.replace(/\\s+/g, " ").trim());
})(%s)
"""
# Every colour that words of ours can have, on every ground on which they stand
COLOURS = """
(() => {
    const places = [
        ".o_whatsapp_selected", ".o_kanban_record:not(.o_whatsapp_selected)",
        ".o-whatsapp-Owner", ".o-whatsapp-Window", ".o-whatsapp-LeadPanel",
    ];
    const words = ["muted", "success", "info", "warning", "danger"];
    for (const place of places.map((each) => document.querySelector(each))) {
        place.replaceChildren(...words.flatMap((word) =>
            [`text-${word}`, `badge text-bg-${word}`].map((name) =>
                Object.assign(document.createElement("span"),
                    {className: `${name} m-1`, textContent: `${name} 23 h`}))));
    }
    return places.length * words.length;
})()
"""
# Whether the head of a chat shows the whole name, and all its buttons
HEAD = """
(() => {
    const head = document.querySelector(".o_whatsapp_chat_header");
    const end = head.getBoundingClientRect().right;
    const name = head.querySelector("h2");
    return name.scrollWidth <= name.clientWidth &&
        [...head.children].every((each) => each.getBoundingClientRect().right <= end);
})()
"""
# Odoo leaves these as they are, and they happen to be among our words
SAID_BY_ODOO = {"Close", "Administrator", "User"}


@pytest.fixture(scope="module")
def stage():
    with screenshots.opened("screens", SERIES, ODOO) as found:
        yield found


@pytest.fixture(scope="module")
def english():
    """What ours would say if it were not translated."""
    words = set()
    for addon in paths.addons():
        for entry in polib.pofile(str(paths.REPO / addon / "i18n" / "es.po")):
            if entry.msgid != entry.msgstr and "%" not in entry.msgid:
                words.add(" ".join(entry.msgid.split()))
    return words - SAID_BY_ODOO


@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_screen_is_in_spanish_and_for_everybody(stage, english, name):
    page, scene = stage
    screenshots.show(page, scene, SHOTS[name])
    texts = page.ask(TEXTS % json.dumps(WITHIN))
    assert texts
    assert not set(texts) & english
    assert not _found(page)


def test_words_are_readable_in_every_colour(stage):
    """Those of the states, too, that nothing in the scene has."""
    page, scene = stage
    screenshots.show(page, scene, SHOTS["chat"])
    assert page.ask(COLOURS)
    assert not _found(page)


def test_the_head_of_a_narrow_chat_is_whole(stage):
    page, scene = stage
    screenshots.show(page, scene, SHOTS["lista"])
    assert page.ask("document.querySelector('.o_whatsapp_next')")
    assert page.ask(HEAD)


def test_the_report_fits_on_a_laptop(stage):
    page, scene = stage
    screenshots.show(page, scene, SHOTS["informe"])
    assert page.ask(
        "document.querySelector('.o_whatsapp_report table').getBoundingClientRect()"
        ".right <= innerWidth"
    )


def _found(page):
    """Return what axe finds in what is ours: list of [rule, element]."""
    page.ask(AXE)
    found = page.ask(LOOK % json.dumps([WITHIN, OF_ODOO]))
    return [each for each in found if each[0] not in RULES_OF_ODOO]
