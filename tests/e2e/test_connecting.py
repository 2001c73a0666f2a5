# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A number is connected from Odoo alone: several workers, and a Meta that verifies."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from devkit import paths
from devkit import shop as shops
from devkit.demo.rpc import Session
from devkit.server import free_port
from devkit.simulator.client import Simulator
from devkit.simulator.server import running

SERIES = os.environ.get("CWG_SERIES", paths.DEFAULT_SERIES)
ODOO = Path(os.environ["ODOO_PATH"]) if os.environ.get("ODOO_PATH") else None
WORKERS = 2  # the one that Meta asks need not be the one that somebody clicked in
OTHER = "http://127.0.0.1:9/an-older-crm"


@dataclass
class Page:
    """The set-up page of one number, and what stands behind it."""

    admin: Session
    simulator: Simulator
    app: dict
    number: dict
    account: dict
    gateway: int
    log: Path

    def points(self):
        """State, outcome and words of each point, by its kind."""
        rows = self.admin.read(
            "whatsapp.gateway.check",
            [("gateway_id", "=", self.gateway)],
            *("kind", "state", "outcome", "found", "advice"),
        )
        return {row["kind"]: row for row in rows}

    def test(self, kind=None):
        if kind is None:
            self.admin.call("mail.gateway", "action_whatsapp_test", [self.gateway])
            return self.points()
        row = self.points()[kind]
        self.admin.call("whatsapp.gateway.check", "action_test", [row["id"]])
        return self.points()[kind]

    def fix(self, kind):
        row = self.points()[kind]
        self.admin.call("whatsapp.gateway.check", "action_fix", [row["id"]])
        return self.points()[kind]

    def write(self, **values):
        self.admin.call("mail.gateway", "write", [self.gateway], values)

    def hear(self):
        """Somebody writes to the number."""
        ana = self.simulator.person(
            "+52 55 1234 5678", name="Ana", number=self.number["id"]
        )
        ana.send_text("Hola")

    def connect(self):
        """Do what the page offers until the number works."""
        self.write(token=self.app["token"])
        self.test()
        for kind in ("subscribed", "webhook", "templates"):
            self.fix(kind)
        self.hear()
        self.test()


@pytest.fixture(scope="module")
def office():
    """An administrator, Meta, and the log of several workers."""
    with shops.opened("e2e-setup", SERIES, ODOO) as shop, running(seed=7) as url:
        server = shop.start(f"--workers={WORKERS}", f"--gevent-port={free_port()}")
        admin = Session(server.url, shop.database, "admin", "admin")
        for name, value in (
            ("web.base.url", server.url),
            (paths.parameter("graph_url"), url),
        ):
            admin.call("ir.config_parameter", "set_param", name, value)
        values = {"email": "boss@company.example"}
        admin.call("res.users", "write", [admin.uid], values)
        yield admin, Simulator(url), server.log


@pytest.fixture
def page(office):
    """The page of a new number, of which the token is mistyped."""
    admin, simulator, log = office
    at_meta = simulator.setup(
        app={"callback_url": OTHER}, account={"subscriptions": []}
    )
    gateway = admin.create(
        "mail.gateway",
        name="Shop",
        gateway_type="whatsapp",
        token="EAAmistyped",
        webhook_secret=at_meta["app"]["secret"],
        whatsapp_from_phone=at_meta["number"]["id"],
        whatsapp_account_id=at_meta["account"]["id"],
    )
    yield Page(admin, simulator, **at_meta, gateway=gateway, log=log)
    simulator.clear_faults()
    admin.call("mail.gateway", "action_archive", [gateway])


@pytest.fixture
def connected(page):
    """The page of a number that works."""
    page.connect()
    return page


def test_from_nothing_to_the_first_message(page):
    points = page.test()
    assert points["token"]["state"] == "bad", points["token"]
    assert points["webhook"]["outcome"] == "blocked"
    page.write(token=page.app["token"])
    points = page.test()
    assert points["token"]["state"] == points["secret"]["state"] == "ok", points
    assert points["reachable"]["state"] == "ok", points["reachable"]
    assert points["subscribed"]["outcome"] == "subscribed_nobody"
    assert page.fix("subscribed")["state"] == "ok"
    assert points["webhook"]["outcome"] == "webhook_other"
    assert OTHER in points["webhook"]["found"]
    assert page.fix("webhook")["outcome"] == "webhook_ok"
    assert page.fix("templates")["state"] == "ok"
    assert page.points()["signature"]["state"] == "warning"
    page.hear()
    assert page.test("signature")["state"] == "ok"
    points = page.test()
    wrong = {kind: row["found"] for kind, row in points.items() if row["state"] != "ok"}
    assert not wrong


def test_what_breaks_at_meta_is_seen(connected):
    simulator, app = connected.simulator, connected.app["id"]
    for change, kind, outcome in (
        ({"token_expires_at": int(time.time()) + 9999}, "token", "token_expires"),
        ({"token_scopes": []}, "token", "token_scopes"),
        ({"token_valid": False}, "token", "refused"),
        ({"secret": "0" * 32}, "secret", "secret_wrong"),
        ({"callback_url": OTHER}, "webhook", "webhook_other"),
        ({"webhook_active": False}, "webhook", "webhook_off"),
        ({"fields": ["security"]}, "webhook", "webhook_deaf"),
    ):
        [state] = [one for one in simulator.state()["apps"] if one["id"] == app]
        before = {name: state[name] for name in change}
        simulator.app(id=app, **change)
        assert connected.test(kind)["outcome"] == outcome
        simulator.app(id=app, **before)
        assert connected.test(kind)["state"] == "ok"


def test_a_number_of_somebody_else(connected):
    account = connected.simulator.account(preload=False, app_ids=[connected.app["id"]])
    theirs = connected.simulator.number(account_id=account["id"], phone="34910000001")
    for number, outcome in (
        (theirs["id"], "number_elsewhere"),
        (connected.account["id"], "number_swapped_alone"),
        ("+34 910 000 000", "number_is_phone"),
    ):
        connected.write(whatsapp_from_phone=number)
        assert connected.test()["number"]["outcome"] == outcome
    connected.write(whatsapp_from_phone=connected.number["id"])
    assert connected.test("number")["state"] == "ok"


def test_ids_in_each_other_s_place_are_swapped(connected):
    connected.write(
        whatsapp_from_phone=connected.account["id"],
        whatsapp_account_id=connected.number["id"],
    )
    assert connected.test()["number"]["outcome"] == "number_swapped"
    assert connected.fix("number")["state"] == "ok"
    assert connected.points()["account"]["state"] == "ok"


def test_a_meta_that_is_slow_or_down_says_nothing(connected):
    connected.test()
    for fault in (
        {"fault": "hang", "accept": False, "seconds": 30},
        {"fault": "error", "http": 503, "code": 2},
        {"fault": "error", "code": 4},
    ):
        connected.simulator.fault(on="any", **fault)
        begin = time.monotonic()
        points = connected.test()
        assert time.monotonic() - begin < 30
        connected.simulator.clear_faults()
        shown = (fault, points["token"], points["number"])
        assert points["token"]["state"] == points["number"]["state"] == "ok", shown


def test_an_address_that_meta_cannot_verify(connected):
    connected.simulator.app(id=connected.app["id"], callback_url=None)
    fault = connected.simulator.fault(
        "error", on="app", code=100, subcode=2200, times=None
    )
    assert connected.test("webhook")["state"] == "unknown"  # the secret is not proven
    connected.simulator.clear_faults(fault)
    assert connected.test("webhook")["outcome"] == "webhook_none"
    assert connected.fix("webhook")["state"] == "ok"


def test_no_secret_is_logged(connected):
    text = connected.log.read_text()
    for secret in (connected.app["token"], connected.app["secret"]):
        assert secret not in text
