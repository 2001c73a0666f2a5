# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Two numbers, each with its own people: what is the one's is none of the other's."""

from odoo.exceptions import AccessError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from .common import GatewayCase

GATEWAY_USER = "base.group_user,mail_gateway.gateway_user"
BOB = {"from": "5215599999999", "name": "Bob Free", "bsuid": "MX.2"}
RULES = ("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")


class TestNobodyElse(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.office, cls.mate, cls.second, cls.clerk, cls.plain = (
            new_test_user(cls.env, login=login, groups=groups)
            for login, groups in (
                ("office", GATEWAY_USER),
                ("mate", f"{GATEWAY_USER},base.group_partner_manager"),
                ("second", f"{GATEWAY_USER},base.group_partner_manager"),
                ("clerk", GATEWAY_USER),
                ("plain", "base.group_user"),
            )
        )
        cls.portal = new_test_user(cls.env, login="portal", groups="base.group_portal")
        cls.gateway.member_ids = cls.office | cls.mate
        cls.other = cls.gateway.copy(
            {
                "name": "Second",
                "token": "EAAsecond",
                "whatsapp_from_phone": "10002",
                "member_ids": [(6, 0, cls.second.ids)],
                "integrated_webhook_state": "integrated",
            }
        )

    def setUp(self):
        super().setUp()
        self.channel = self.receive(self.message(content="Hello"))
        self.guest = self.channel.channel_member_ids.guest_id
        self.said = self.channel.message_ids.filtered("whatsapp_message_id")

    def responsible(self, channel):
        return self.office

    def refused(self, call, error=AccessError):
        with self.assertRaises(error), self.env.cr.savepoint(), mute_logger(*RULES):
            call()
            self.env.flush_all()
        self.env.invalidate_all()

    # ------------------------------------------------------------- invitations

    def test_the_link_of_an_invitation_lets_nobody_in(self):
        url = f"/chat/{self.channel.id}/{self.channel.uuid}"
        before = self.channel.channel_member_ids
        guests = self.env["mail.guest"].search_count([])
        for user in (self.second, self.clerk, self.plain, self.portal, None):
            self.authenticate(user and user.login, user and user.login)
            with self.subTest(user and user.login), mute_logger("odoo.http"):
                answer = self.url_open(url)
                self.assertEqual(answer.status_code, 404)
                self.assertNotIn(self.channel.name, answer.text)
        self.env.invalidate_all()
        self.assertEqual(self.channel.channel_member_ids, before)
        self.assertEqual(self.env["mail.guest"].search_count([]), guests)
        self.refused(lambda: self.channel.with_user(self.second).read(["name"]))
        self.authenticate("office", "office")
        self.assertEqual(self.url_open(url).status_code, 200)
