# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from .common import WhatsappCase


class TestContact(WhatsappCase):
    """The WhatsApp button of a contact."""

    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="Hi"))
        self.owner = self.channel.lead_id.user_id
        self.contact = self.env["res.partner"].create(
            {"name": "Ana Pérez", "phone": "+52 55 1234 5678"}
        )

    def press(self, contact=None, user=None):
        contact = contact or self.contact
        return contact.with_user(user or self.owner).action_open_whatsapp()

    def count(self, user=None):
        self.env.invalidate_all()
        return self.contact.with_user(user or self.owner).whatsapp_channel_count

    def test_the_conversation_with_the_number_opens_over_the_contact(self):
        self.assertEqual(self.count(), 1)
        action = self.press()
        self.assertEqual(action["tag"], "mail_gateway_whatsapp_queue.open_chat")
        self.assertEqual(action["params"], {"channel_id": self.channel.id})

    def test_a_company_has_those_of_its_people_and_of_its_leads(self):
        company = self.env["res.partner"].create({"name": "ACME", "is_company": True})
        self.contact.parent_id = company
        bob = {"from": "34612345678", "name": "Bob"}
        other = self.receive(self.message(content="Hi", person=bob), person=bob)
        other.lead_id.write({"partner_id": company.id, "user_id": self.owner.id})
        action = self.press(company)
        self.assertEqual(action["res_model"], "whatsapp.conversation")
        found = self.env["whatsapp.conversation"].search(action["domain"])
        self.assertEqual(found.channel_id, self.channel | other)

    def test_a_colleague_does_not_see_it_and_is_told_whom_to_ask(self):
        colleague = (self.users - self.owner)[:1]
        self.assertEqual(self.count(colleague), 0)
        action = self.press(user=colleague)
        dialog = self.env[action["res_model"]].with_user(colleague)
        dialog = dialog.browse(action["res_id"])
        self.assertIn(self.owner.name, dialog.refusal)

    def test_who_never_wrote_is_written_to_by_the_dialog(self):
        bob = self.env["res.partner"].create({"name": "Bob", "phone": "+34612345678"})
        action = self.press(bob)
        self.assertEqual(action["res_model"], "whatsapp.send.document")
        nobody = self.env["res.partner"].create({"name": "Nobody"})
        with self.assertRaisesRegex(UserError, "no phone number"):
            self.press(nobody)

    def test_a_customer_without_a_number_is_found_by_the_link(self):
        person = {"bsuid": "MX.88001", "name": "Uma"}
        channel = self.receive(self.message(content="Hi", person=person), person=person)
        contact = self.env["res.partner"].create({"name": "Uma"})
        self.env["res.partner.gateway.channel"].create(
            {
                "name": "Uma",
                "partner_id": contact.id,
                "gateway_id": self.gateway.id,
                "gateway_token": channel.gateway_channel_token,
            }
        )
        action = self.press(contact, channel.lead_id.user_id)
        self.assertEqual(action["params"], {"channel_id": channel.id})

    def test_strangers_get_nothing(self):
        plain = new_test_user(self.env, "p1", groups="base.group_user")
        portal = new_test_user(self.env, "p2", groups="base.group_portal")
        self.assertEqual(self.count(plain), 0)
        for user in (plain, portal):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.press(user=user)
