# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import re
from pathlib import Path

from odoo.tests import TransactionCase, tagged

DOCS = Path(__file__).parents[1] / "docs"
MENU = re.compile(r"\*\*([^*]*?▸[^*]*?)\*\*", re.DOTALL)


@tagged("post_install", "-at_install")
class TestGuides(TransactionCase):
    """Whoever follows a guide finds each menu, Odoo's own ones too."""

    def _menus(self):
        menus = self.env["ir.ui.menu"].with_context(
            lang="es_MX", **{"ir.ui.menu.full_list": True}
        )
        return set(menus.search([]).mapped("complete_name"))

    def test_every_menu_of_the_guides_is_there(self):
        self.env["res.lang"]._activate_lang("es_MX")
        menus = self._menus()
        said = {
            "/".join(" ".join(step.split()) for step in path.split("▸"))
            for guide in DOCS.glob("*.md")
            for path in MENU.findall(guide.read_text(encoding="utf-8"))
        }
        self.assertGreater(len(said), 15)
        self.assertFalse(said - menus)
