# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo.tests import HttpCase, tagged

from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_gateway_check_probe import (  # noqa: E501
    WhatsappGatewayCheckProbe,
)
from odoo.addons.mail_gateway_whatsapp_queue.tools.probe import Probe

from .common import BROWSER
from .setup_common import HELLO, OTHER, SetupCase


@tagged(BROWSER)
class TestSetupTours(SetupCase, HttpCase):
    """An administrator connects a number on its page, in a real browser."""

    def setUp(self):
        super().setUp()
        self.gateway.write(
            {"whatsapp_from_phone": "55555", "webhook_secret": "ab" * 16, "name": "Old"}
        )
        self.admin.password = "admin-in-the-browser"
        self.env.ref("base.user_admin").email = "boss@valle.mx"
        self.meta.apps = []
        self.meta.subscription["callback_url"] = OTHER
        self.meta.verifies = self.verified
        self.meta.templates = [HELLO]

        # the test's own server answers one request after the other
        def probe(checks, gateway, question):
            key = gateway.webhook_key
            return Probe(200, checks._probe_answer(key, question, True))

        self.patch(WhatsappGatewayCheckProbe, "_probe_webhook", probe)

    def verified(self, url):
        """What our webhook does when Meta asks for the verify token."""
        key = url.split("/")[-2]
        with self.registry.cursor() as cr:
            cr.execute(
                "UPDATE mail_gateway SET integrated_webhook_state = 'integrated'"
                " WHERE webhook_key = %s AND integrated_webhook_state = 'pending'",
                (key,),
            )
            return cr.rowcount == 1

    def test_a_number_is_set_up_on_its_page(self):
        self.start_tour(
            "/odoo/whatsapp-numbers",
            "crm_whatsapp_gateway.setup",
            login=self.admin.login,
        )
        self.env.invalidate_all()
        new = self.env["mail.gateway"].search([("name", "=", "Sales")])
        self.assertEqual(new.whatsapp_from_phone, "10001")
        self.assertEqual(new.integrated_webhook_state, "integrated")
        self.assertEqual(self.meta.subscription["callback_url"], new.webhook_url)
