# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is sent from a document, for who sells."""

from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from .common import ConversationCase, WhatsappCase

RULES = ("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")


def dialog_of(record, user):
    dialogs = record.env["whatsapp.send.document"].with_user(user)
    action = dialogs.action_open_for(record._name, record.ids)
    return dialogs.browse(action["res_id"])


class TestNewLead(WhatsappCase):
    def set_scene(self):
        super().set_scene()
        self.lead = self.env["crm.lead"].create(
            {
                "name": "Chairs",
                "contact_name": "Bob Free",
                "phone": "+52 55 9999 9999",
                "user_id": self.sofia.id,
                "team_id": self.team.id,
            }
        )

    def test_the_conversation_that_begins_is_that_of_the_lead(self):
        template = self.template("Hi {{1}}")
        dialog = dialog_of(self.lead, self.sofia)
        self.assertEqual(dialog.kind, "template")
        dialog.template_id = template
        dialog.action_send()
        channel = self.lead.whatsapp_channel_ids
        self.assertEqual(channel.whatsapp_phone, "+525599999999")
        self.assertEqual(channel.whatsapp_user_id, self.sofia)
        note = self.lead.message_ids.sorted("id")[-1:]
        self.assertTrue(note.notification_ids.gateway_channel_id)

    def test_an_answer_to_what_the_lead_sent_is_shown(self):
        template = self.template("Hi {{1}}")
        dialog = dialog_of(self.lead, self.sofia)
        dialog.template_id = template
        dialog.action_send()
        self.send_due()
        channel = self.lead.whatsapp_channel_ids
        row = self.env["whatsapp.message.queue"].search(
            [("channel_id", "=", channel.id)]
        )
        bob = {"from": "525599999999", "name": "Bob Free", "bsuid": "MX.9"}
        answer = self.message(
            content="Chairs, yes", person=bob, context={"id": row.wamid}
        )
        self.receive(answer, person=bob)
        self.assertIn("Chairs, yes", self.texts(channel)[-1])
        self.assertIn("Chairs, yes", self.lead.message_ids.sorted("id")[-1:].body)

    @mute_logger(*RULES)
    def test_another_salesperson_cannot_send_it(self):
        with self.assertRaises(AccessError):
            dialog_of(self.lead, self.tomas)

    def test_the_number_of_the_team_is_proposed(self):
        second = self.gateway.copy(
            {
                "name": "Second",
                "token": "EAAsecond",
                "whatsapp_from_phone": "10002",
                "whatsapp_team_id": False,
            }
        )
        for gateway in (second, self.gateway):
            (self.gateway | second).whatsapp_team_id = False
            gateway.whatsapp_team_id = self.team
            dialog = dialog_of(self.lead, self.sofia)
            self.assertEqual(dialog.gateway_id, gateway)
            self.assertTrue(dialog.are_gateways)


class TestContact(ConversationCase):
    def set_scene(self):
        super().set_scene()
        self.contact = self.env["res.partner"].create(
            {"name": "Ana Pérez", "phone": "+52 55 1234 5678"}
        )

    def test_the_contact_is_written_to_in_the_conversation_of_the_lead(self):
        dialog = dialog_of(self.contact, self.owner)
        self.assertEqual(dialog.kind, "text")
        dialog.body = "The offer"
        dialog.action_send()
        row = self.env["whatsapp.message.queue"].search([])
        self.assertEqual(row.channel_id, self.channel)

    def test_a_colleague_is_told_whom_to_ask_and_a_manager_may(self):
        colleague = self.users - self.owner
        self.channel.channel_member_ids.filtered(
            lambda member: member.partner_id == colleague.partner_id
        ).unlink()
        dialog = dialog_of(self.contact, colleague)
        self.assertIn(self.owner.name, dialog.refusal)
        dialog.write({"kind": "text", "body": "The offer"})
        with self.assertRaisesRegex(UserError, "Please ask for it"):
            dialog.action_send()
        groups = "group_ids" if "group_ids" in colleague._fields else "groups_id"
        colleague[groups] |= self.env.ref("sales_team.group_sale_salesman_all_leads")
        dialog_of(self.contact, colleague).write({"body": "The offer"})
        manager = dialog_of(self.contact, colleague)
        self.assertFalse(manager.refusal)
        manager.body = "The offer"
        manager.action_send()
        row = self.env["whatsapp.message.queue"].search([])
        self.assertEqual(row.message_id.author_id, colleague.partner_id)
