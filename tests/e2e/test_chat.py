# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the chat shows while messages leave: three people look, and nobody reloads."""

import itertools
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from office import Clock, Office, new_template, until

from devkit import paths
from devkit import shop as shops
from devkit.browser import Page, open_page
from devkit.demo.rpc import Session
from devkit.simulator.client import Customer, Simulator
from devkit.simulator.server import running

SERIES = os.environ.get("CWG_SERIES", paths.DEFAULT_SERIES)
ODOO = Path(os.environ["ODOO_PATH"]) if os.environ.get("ODOO_PATH") else None

PHONE = "5215571000001"
SELLERS = "sales_team.group_sale_salesman"
MANAGERS = "sales_team.group_sale_salesman_all_leads"
PATIENCE = 60  # seconds until a tick is right, on a machine that has much to do
# What becomes of each message, by its name: a fault of Meta, and the tick at the end
UNREPORTED = {"missing": ["sent", "delivered", "read"]}
OUTCOMES = {
    "read": (None, "whatsapp_read"),
    "delivered": (("statuses", {"missing": ["read"]}), "whatsapp_delivered"),
    "sent": (("statuses", {"missing": ["delivered", "read"]}), "sent"),
    "taken": (("statuses", UNREPORTED), "sent"),
    "early": (("statuses", {"before_answer": True}), "whatsapp_read"),
    "backwards": (("statuses", {"reverse": True}), "whatsapp_read"),
    "refused": (("error", {"code": 131026}), "exception"),
    "lost": (("statuses", {"sequence": ["failed"], "fail_code": 131026}), "exception"),
    "again": (("error", {"code": 131000}), "whatsapp_read"),
}
MARKS = {
    "ready": ("fa-clock-o", "Waiting to be sent"),
    "sent": ("fa-check", "Sent at"),
    "whatsapp_delivered": ("o-whatsapp-ticks", "Delivered at"),
    "whatsapp_read": ("o-whatsapp-read", "Read at"),
    "exception": ("fa-exclamation-circle", "Not delivered"),
}
FIELD = "textarea.o-mail-Composer-input"
# text of each message -> its tick's classes, what it says, and what is read out
SHOWN = """
Object.fromEntries([...document.querySelectorAll(".o-mail-Message")].map(message => {
    const tick = message.querySelector(".o-mail-Message-notification");
    const text = message.querySelector(".o-mail-Message-body")?.innerText
        ?? message.innerText;
    return [text.trim(), tick && [
        tick.querySelector("i").className,
        tick.title,
        tick.getAttribute("aria-label"),
    ]];
}))
"""
# text of each message -> whether it stands on the right, and its colour
SIDES = """
Object.fromEntries([...document.querySelectorAll(".o-mail-Message")].map(message => {
    const body = message.querySelector(".o-mail-Message-body");
    const bubble = message.querySelector(".o-mail-Message-bubble");
    const whole = message.getBoundingClientRect();
    const part = bubble?.getBoundingClientRect();
    return [body?.innerText.trim(), part && [
        whole.right - part.right < part.left - whole.left,
        [...bubble.classList].find(name => /^o-(blue|green|orange)$/.test(name)),
    ]];
}))
"""
# a text that is there, and sent, before the page is drawn again
AT_ONCE = """
((selector, text) => {
    const field = document.querySelector(selector);
    field.value = text;
    field.dispatchEvent(new InputEvent("input", {bubbles: true}));
    field.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
})(%r, %r)
"""


@dataclass
class Scene:
    """A conversation of one salesperson, and three who have it on their screens."""

    shop: shops.Shop
    simulator: Simulator
    clock: Clock
    customer: Customer
    owner: Session
    channel: int
    pages: dict[str, Page]

    def write(self, text):
        """Send a text, or the file that was chosen if it is empty."""
        page = self.pages["owner"]
        page.wait(f"document.querySelector('{FIELD}').value === ''")
        page.write(FIELD, text)
        page.wait(f"document.querySelector('{FIELD}').value === ''")
        page.see(".o-mail-Message", text)

    def misbehave(self, outcome):
        """Have this become of the next message, and of no other."""
        fault, _status = OUTCOMES[outcome]
        if fault:
            name, values = fault
            self.simulator.fault(name, times=1, **values)

    def statuses(self):
        """What the database says of each message of ours: by id."""
        return dict(
            self.shop.rows(
                "SELECT mail_message_id, notification_status FROM mail_notification"
                " WHERE gateway_channel_id = %s ORDER BY 1",
                self.channel,
            )
        )

    def status(self):
        """The status of the last message of ours."""
        return list(self.statuses().values())[-1]


def _look(page, url, login, channel):
    page.fresh(1366, 768)
    page.log_in(url, login, login)
    page.go(f"{url}/odoo/discuss?active_id=discuss.channel_{channel}")
    page.see(".o-mail-Message", "How much is it?")


@pytest.fixture(scope="module")
def scene():
    with (
        shops.opened("e2e-chat", SERIES, ODOO) as shop,
        running(seed=5) as url,
        open_page() as page,
    ):
        office = Office(shop)
        office.open()
        admin = office.login()
        admin.call(
            "ir.config_parameter", "set_param", paths.parameter("graph_url"), url
        )
        people = _people(shop, admin)
        simulator = Simulator(url)
        path = f"/gateway/whatsapp/{shops.KEY}/update"
        simulator.setup(
            app={
                "secret": shops.SECRET,
                "token": "EAAtoken",
                "callback_url": office.url + path,
            },
            number={"id": shops.NUMBER, "phone": "5215500000001"},
        )
        customer = simulator.person(PHONE, name="Ana", reads=True)
        customer.send_text("How much is it?")
        shop.wait()
        channel, owner = shop.rows(
            "SELECT channel.id, users.login FROM discuss_channel channel"
            "  JOIN crm_lead lead ON lead.id = channel.lead_id"
            "  JOIN res_users users ON users.id = lead.user_id"
        )[0]
        colleague = next(login for login in shops.SALESPEOPLE if login != owner)
        session = Session(office.url, shop.database, owner, owner)
        wizard = session.create(
            "whatsapp.invite",
            channel_id=channel,
            user_ids=[(6, 0, [people[colleague]])],
        )
        session.call("whatsapp.invite", "action_invite", [wizard])
        pages = {}
        for name, login in (
            ("owner", owner),
            ("colleague", colleague),
            ("manager", "manager"),
        ):
            pages[name] = page.another()
            _look(pages[name], office.url, login, channel)
        clock = Clock(shop, simulator)
        yield Scene(shop, simulator, clock, customer, session, channel, pages)


def _people(shop, admin):
    """Let everybody log in, and hire a manager; return the ids of users by login."""
    known = {row["login"]: row["id"] for row in admin.read("res.users", [], "login")}
    for login in shops.SALESPEOPLE:
        admin.call("res.users", "write", [known[login]], {"password": login})
    groups = [
        shop.value(
            "SELECT res_id FROM ir_model_data WHERE module = %s AND name = %s",
            *name.split("."),
        )
        for name in ("base.group_user", MANAGERS)
    ]
    names = admin.call("res.users", "fields_get", ["group_ids", "groups_id"])
    admin.create(
        "res.users",
        name="manager",
        login="manager",
        password="manager",
        **{next(iter(names)): [(6, 0, groups)]},
    )
    return known


def assert_shown(scene, wanted):
    """Everybody sees the same ticks, and they are right.

    :param dict wanted: text of a message -> the status of its tick
    """
    for who, page in scene.pages.items():
        until(
            lambda page=page: not _wrong(page.ask(SHOWN), wanted),
            PATIENCE,
            lambda page=page, who=who: (who, _wrong(page.ask(SHOWN), wanted)),
        )


def _wrong(shown, wanted):
    """Return what is not as it should be: text -> (what is seen, the status)."""
    wrong = {}
    for text, status in wanted.items():
        icon, words = MARKS[status]
        tick = shown.get(text)
        if (
            not tick
            or icon not in tick[0]
            or not tick[1].startswith(words)
            or tick[2] != tick[1]
        ):
            wrong[text] = tick, status
    return wrong


def test_ticks_are_right_without_reload(scene):
    """Twenty answers, of which each kind of outcome becomes; then all once more."""
    wanted = {}
    for number, outcome in zip(range(20), itertools.cycle(OUTCOMES)):
        text = f"{number} {outcome}"
        scene.misbehave(outcome)
        scene.write(text)
        wanted[text] = OUTCOMES[outcome][1]
        until(lambda text=text: _left(scene, text), PATIENCE, scene.statuses)
        if outcome == "again":
            assert_shown(scene, {text: "ready"})
            until(lambda text=text: _reason(scene, text), PATIENCE, scene.statuses)
            scene.clock.tick()
            # a run of the cron that was about to end takes the trigger with it
            until(lambda: _woken(scene), PATIENCE, scene.statuses, every=5)
    assert_shown(scene, wanted)
    for page in scene.pages.values():
        page.ask("location.reload()")
        page.see(".o-mail-Message", "19 ")
    assert_shown(scene, wanted)


def _reason(scene, text):
    """What the owner reads behind the words that a message waits."""
    words = scene.pages["owner"].ask(SHOWN)[text][1]
    return words.removeprefix(MARKS["ready"][1]).strip(". ")


def _woken(scene):
    """Run the cron unless the last message of ours has been read."""
    if scene.status() == "whatsapp_read":
        return True
    scene.clock.wake()
    return False


def _left(scene, text):
    """Whether Meta was asked to send a text, and what came of it is written."""
    return scene.shop.value(
        "SELECT count(*) FROM whatsapp_message_queue row"
        "  JOIN whatsapp_message_attempt attempt ON attempt.row_id = row.id"
        " WHERE row.payload -> 'text' ->> 'body' = %s",
        text,
    )


def test_a_text_that_is_sent_at_once_leaves_the_field(scene):
    page = scene.pages["owner"]
    for text in ("Pasted once", "Pasted twice"):
        page.ask(AT_ONCE % (FIELD, text))
        page.see(".o-mail-Message", text)
        page.wait(f"document.querySelector('{FIELD}').value === ''")
    assert_shown(scene, {"Pasted once": "whatsapp_read"})


def test_a_template_has_its_tick_as_well(scene):
    admin = Session(scene.owner.url, scene.shop.database, "admin", "admin")
    template = new_template(scene.shop, admin)
    scene.simulator.template(
        name="greeting",
        language="en_US",
        category="UTILITY",
        components=[{"type": "BODY", "text": "We are back"}],
    )
    wizard = scene.owner.create(
        "whatsapp.send.template", channel_id=scene.channel, template_id=template
    )
    scene.owner.call("whatsapp.send.template", "action_send", [wizard])
    assert_shown(scene, {"We are back": "whatsapp_read"})


def test_a_file_has_its_tick_as_well(scene, tmp_path):
    file = tmp_path / "plan.pdf"
    file.write_bytes(b"%PDF-1.4 a plan")
    page = scene.pages["owner"]
    page.attach(".o-mail-Composer input[type='file']", file)
    page.see(".o-mail-Composer .o-mail-AttachmentCard", "plan.pdf")
    page.wait("!document.querySelector(\".o-mail-Composer [title='Uploading']\")")
    scene.write("")
    until(lambda: scene.status() == "whatsapp_read", PATIENCE, scene.statuses)
    for each in scene.pages.values():
        each.see(".o-mail-Message:has(.o-mail-AttachmentCard) .o-whatsapp-read")


def test_the_company_is_on_one_side_and_the_customer_on_the_other(scene):
    session = Session(scene.owner.url, scene.shop.database, "manager", "manager")
    scene.customer.send_text("Thank you")
    session.call(
        "discuss.channel",
        "message_post",
        [scene.channel],
        body="You are welcome",
        message_type="comment",
        subtype_xmlid="mail.mt_comment",
    )
    wanted = {
        "How much is it?": [False, "o-blue"],
        "Thank you": [False, "o-blue"],
        "We are back": [True, "o-green"],
        "You are welcome": [True, "o-green"],
    }
    for who, page in scene.pages.items():
        page.see(".o-mail-Message", "Thank you")
        page.see(".o-mail-Message", "You are welcome")
        page.see(".o-whatsapp-ours", scene.owner.login)
        page.see(".o-whatsapp-ours", "manager")
        sides = page.ask(SIDES)
        assert {text: sides.get(text) for text in wanted} == wanted, who
