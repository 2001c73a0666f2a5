# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A seller's day in the browser, counted in clicks and keys."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from office import Office, new_template, until
from slow_meta import SlowMeta

from devkit import paths
from devkit import shop as shops
from devkit.browser import Page, open_page

SERIES = os.environ.get("CWG_SERIES", paths.DEFAULT_SERIES)
ODOO = Path(os.environ["ODOO_PATH"]) if os.environ.get("ODOO_PATH") else None
SELLER, COLLEAGUE = "sofia", "tomas"
CUSTOMERS = 15  # of three salespeople in turn
CHAT = ".o_whatsapp_chat"
FIELD = f"{CHAT} .o-mail-Composer-input"
NEXT = f"{CHAT} .o_whatsapp_next"
# The most that each may cost; what is written into a field is no key
ALLOWED = {
    "to the first chat": 2,
    "an answer, and the next customer": 1,
    "a template": 3,
    "to snooze": 2,
    "to hand over": 3,
    "to close": 1,
}


@dataclass
class Seller:
    """Somebody with a mouse and a keyboard, of whom each use is counted."""

    page: Page
    used: int = 0

    def click(self, selector, text=""):
        self.page.see(selector, text)
        self.page.click(selector, text)
        self.used += 1

    def press(self, keys):
        self.page.press(keys)
        self.used += 1

    def type(self, text):
        self.page.fill(FIELD, text)

    def cost(self):
        """What was used since the last time."""
        used, self.used = self.used, 0
        return used


@pytest.fixture(scope="module")
def scene():
    meta = SlowMeta()
    threading.Thread(target=meta.serve_forever, args=[0.05], daemon=True).start()
    with shops.opened("e2e-day", SERIES, ODOO) as shop, open_page() as page:
        office = Office(shop)
        office.open()
        admin = office.login()
        admin.call(
            "ir.config_parameter", "set_param", paths.parameter("graph_url"), meta.url
        )
        [seller] = admin.read("res.users", [("login", "=", SELLER)], "id")
        admin.call("res.users", "write", [seller["id"]], {"password": SELLER})
        new_template(shop, admin)
        for number in range(CUSTOMERS):
            body = shops.delivery(shops.message(number, f"52155900000{number:02}"))
            assert shops.post(office.url, body) == 200
            shop.wait()
        page.fresh(1366, 768)
        page.log_in(office.url, SELLER, SELLER)
        yield shop, meta, Seller(page)
    meta.shutdown()


def chat_of(page):
    """Wait until a chat is there in which one can write; return whose it is."""
    page.wait(
        f"document.activeElement?.matches({FIELD!r})"
        " && !document.querySelector('.modal')"
    )
    page.drawn()
    return page.ask(f"document.querySelector('{CHAT} h2').innerText")


def test_a_day_costs_few_clicks_and_keys(scene):
    _shop, meta, seller = scene
    page, costs = seller.page, {}

    seller.click(".o_whatsapp_systray")
    seller.click(NEXT)
    customers = [chat_of(page)]
    costs["to the first chat"] = seller.cost()

    def goes_on():
        """Wait for the chat of another customer."""
        page.wait(
            f"document.querySelector('{CHAT} h2')?.innerText !== {customers[-1]!r}"
        )
        customers.append(chat_of(page))

    seller.type("Good morning")
    seller.press("Control+Enter")
    goes_on()
    costs["an answer, and the next customer"] = seller.cost()

    seller.click(f"{CHAT} .o-whatsapp-Window button", "Template")
    seller.click(".modal .o_whatsapp_templates_option", "Greeting")
    seller.click(".modal button[name='action_send']")
    page.see(f"{CHAT} .o-mail-Message", "We are back")
    costs["a template"] = seller.cost()
    page.click(NEXT)
    goes_on()

    seller.press("Alt+z")
    page.see(".modal .o_field_widget[name='choice']")
    seller.click(".modal button[name='action_snooze']")
    goes_on()
    costs["to snooze"] = seller.cost()

    seller.press("Alt+o")
    seller.click(".modal .o_field_widget[name='user_id'] label", COLLEAGUE)
    seller.click(".modal button[name='action_hand_over']")
    goes_on()
    costs["to hand over"] = seller.cost()

    seller.press("Alt+l")
    page.see(".o_notification", "Conversation closed")
    costs["to close"] = seller.cost()

    assert len(set(customers)) == len(customers), "nobody came twice"
    assert costs.keys() == ALLOWED.keys()
    assert {what: n for what, n in costs.items() if n > ALLOWED[what]} == {}
    until(lambda: len(meta.taken) == 2, 30, lambda: meta.texts)
    assert sorted(sum(meta.texts.values(), [])) == ["Good morning", "template"]
