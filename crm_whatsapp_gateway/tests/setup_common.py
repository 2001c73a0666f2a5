# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import json
from urllib.parse import urlsplit

import requests

from odoo import fields
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_gateway_check_probe import (  # noqa: E501
    WhatsappGatewayCheckProbe,
)
from odoo.addons.mail_gateway_whatsapp_queue.tools import probe, setup

from .common import MetaSession, WhatsappCase

CONTROLLER = "odoo.addons.mail_gateway_whatsapp_queue.controllers.webhook"
SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
APP = "900000000000001"
BASE_URL = "https://odoo.mueblesdelvalle.mx"
URL = f"{BASE_URL}/gateway/whatsapp/webhook-key/update"
OTHER = "https://other.example.org/hook"
# A template as Meta lists it
HELLO = {
    "id": "1",
    "name": "hello",
    "language": "es_MX",
    "status": "APPROVED",
    "category": "UTILITY",
    "components": [{"type": "BODY", "text": "Hola"}],
}


def refusal(code, message="no", status=400, **more):
    return status, {"error": {"code": code, "message": message, **more}}


def key_of(address):
    """The key in a webhook's address."""
    return urlsplit(address).path.split("/")[-2]


NO_OBJECT = refusal(100, "Unsupported get request", error_subcode=33)


class MetaOffice(MetaSession):
    """What Meta knows of one app, its account and its number; tests change it."""

    def __init__(self):
        super().__init__()
        self.token = {
            "app_id": APP,
            "application": "Shop",
            "type": "SYSTEM_USER",
            "is_valid": True,
            "expires_at": 0,
            "data_access_expires_at": 0,
            "scopes": list(setup.SCOPES),
            "granular_scopes": [
                {"scope": scope, "target_ids": ["20001"]} for scope in setup.SCOPES
            ],
        }
        self.secret = SECRET
        self.numbers = {
            "10001": {
                "id": "10001",
                "display_phone_number": "+52 1 55 0000 0001",
                "verified_name": "Muebles del Valle",
                "quality_rating": "GREEN",
                "platform_type": "CLOUD_API",
                "status": "CONNECTED",
                "whatsapp_business_manager_messaging_limit": "TIER_2K",
            }
        }
        self.elsewhere = {}  # numbers of other accounts that the token may read
        self.apps = [{"whatsapp_business_api_data": {"id": APP, "name": "Shop"}}]
        self.subscription = {
            "object": setup.OBJECT,
            "callback_url": URL,
            "active": True,
            "fields": [{"name": name} for name in setup.FIELDS],
        }
        self.templates = []
        self.verifies = None  # called when an address is set, as Meta does
        self.unknown_fields = set()
        self.names_unknown = True  # in its refusal
        self.down = False
        self.older = False  # a version of the API that lacks a field

    def request(self, method, url, **kwargs):
        path = urlsplit(url).path.split("/", 2)[-1]
        self.calls.append((method, path, kwargs.get("data") or kwargs.get("params")))
        if self.down:
            raise requests.ConnectTimeout("down")
        bearer = requests.Request("GET", url, auth=kwargs["auth"]).prepare()
        token = bearer.headers["Authorization"].removeprefix("Bearer ")
        given = kwargs.get("data") or kwargs.get("params") or {}
        answer = self._answer(method, path, token, given)
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        response = requests.Response()
        response.status_code = status
        response._content = json.dumps(body).encode()
        return response

    def _answer(self, method, path, token, data):
        node, _slash, edge = path.partition("/")
        if path == "debug_token":
            return {"data": self.token}
        if edge == "subscriptions":
            if token != f"{APP}|{self.secret}" or node != APP:
                return refusal(1, "Error validating application.", 400)
            return self._subscriptions(method, data)
        if not self.token["is_valid"]:
            return refusal(190, f"Malformed access token {token}", 401)
        known = {**self.numbers, **self.elsewhere}
        if node in known and not edge:
            if "is_on_biz_app" in data["fields"] and self.older:
                return refusal(100, "Tried accessing nonexisting field")
            return known[node]
        if node != "20001":
            return NO_OBJECT
        if not edge and "display_phone_number" in data.get("fields", ""):
            return refusal(100, "Tried accessing nonexisting field")
        return self._account(method, edge)

    def _subscriptions(self, method, data):
        if method == "GET":
            return {"data": [self.subscription] if self.subscription else []}
        if self.verifies and not self.verifies(data["callback_url"]):
            return refusal(2200, f"Callback verification failed for {SECRET}")
        if unknown := self.unknown_fields & set(data["fields"].split(",")):
            names = ", ".join(unknown) if self.names_unknown else "fields"
            return refusal(100, f"Invalid parameter: {names}", 400)
        self.subscription = {
            "object": data["object"],
            "callback_url": data["callback_url"],
            "active": True,
            "fields": [{"name": name} for name in data["fields"].split(",")],
        }
        return {"success": True}

    def _account(self, method, edge):
        if not edge:
            return {"id": "20001", "name": "Muebles del Valle"}
        if edge == "phone_numbers":
            return {"data": list(self.numbers.values())}
        if edge == "message_templates":
            return {"data": self.templates}
        if method == "POST":
            self.apps = [{"whatsapp_business_api_data": {"id": APP, "name": "Shop"}}]
            return {"success": True}
        return {"data": self.apps}


class SetupCase(WhatsappCase):
    """A number that is set up rightly in every respect."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        parameters = cls.env["ir.config_parameter"]
        parameters.set_param("web.base.url", BASE_URL)
        parameters.set_param("web.base.url.freeze", "True")
        cls.admin = new_test_user(
            cls.env,
            login="setup-admin",
            groups="base.group_system,sales_team.group_sale_manager",
            email="admin@valle.mx",
        )
        cls.gateway.whatsapp_alert_user_ids = cls.admin
        cls.env["mail.whatsapp.template"].search([]).unlink()
        cls.approved = cls.env["mail.whatsapp.template"].create(
            {
                "name": "Greeting",
                "template_name": "greeting",
                "body": "Hello",
                "category": "utility",
                "language": "es_MX",
                "gateway_id": cls.gateway.id,
                "state": "approved",
            }
        )
        cls.env["whatsapp.gateway.check"]._crons().nextcall = fields.Datetime.now()
        cls.gateway.webhook_secret = SECRET
        cls.gateway.whatsapp_secret_at = False
        cls.gateway = cls.gateway.with_user(cls.admin)

    def set_scene(self):
        super().set_scene()
        self.receive(self.message(content="Hi"))

    def setUp(self):
        super().setUp()
        self.checks = type(self.env["whatsapp.gateway.check"])
        self.meta = MetaOffice()
        self.probes = []

        def probe_here(checks, gateway, verify_token):
            """The public address is that of the test's own webhook."""
            self.probes.append(gateway.webhook_url)
            query = f"hub.mode={probe.PROBE}&hub.verify_token={verify_token}"
            response = self.ask_webhook(key_of(gateway.webhook_url), query)
            return probe.Probe(response.status_code, response.text)

        self.patch(WhatsappGatewayCheckProbe, "_probe_webhook", probe_here)
        quiet = mute_logger(CONTROLLER)  # what is refused is meant to be
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)

    def post(self, body, secret=SECRET, **kwargs):
        return super().post(body, secret=secret, **kwargs)

    def second_number(self, **values):
        """Return another number of the same app, with the same token."""
        return self.env["mail.gateway"].create(
            {
                "name": "Support",
                "gateway_type": "whatsapp",
                "token": "EAAtoken",
                "whatsapp_from_phone": "10002",
                "whatsapp_account_id": "20001",
                "webhook_secret": SECRET,
                **values,
            }
        )

    def row(self, kind):
        self.env.invalidate_all()
        return self.gateway.whatsapp_check_ids.filtered(lambda row: row.kind == kind)

    def check(self, kind):
        """Test one point as its button does; return its row."""
        row = self.row(kind)
        row.action_test()
        return self.row(kind)

    def fix(self, kind):
        """Press the button that fixes; return the row."""
        row = self.row(kind)
        self.assertTrue(row.can_fix, row.found)
        row.action_fix()
        return self.row(kind)

    def assertCheck(self, kind, outcome, state, *words):
        row = self.check(kind)
        self.assertEqual((row.outcome, row.state), (outcome, state), row.found)
        for word in words:
            self.assertIn(word, f"{row.found} {row.advice}")
        return row

    def assertFine(self, *kinds):
        for kind in kinds:
            row = self.check(kind)
            self.assertEqual(row.state, "ok", f"{kind}: {row.found} {row.advice}")
