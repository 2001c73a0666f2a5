# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Two conversations that are with one person; names and numbers that come later."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.sql_db import db_connect
from odoo.tests import Form, new_test_user
from odoo.tools import mute_logger

from odoo.addons.mail_gateway_whatsapp_queue.queue.locks import channel_key
from odoo.addons.mail_gateway_whatsapp_queue.tools.cloud_api import CloudApi

from .common import ANA, at
from .test_leads import LeadCase

EVENTS = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_webhook_event"
PHONE = "5215550001111"
NEW_PHONE = "5215550002222"
BSUID = "MX.11112222333344445555"
BY_NUMBER = {"from": PHONE, "name": "Eva B"}
BY_USER = {"bsuid": BSUID, "name": "Eva B"}
BY_BOTH = {"from": PHONE, "bsuid": BSUID, "name": "Eva B"}
AT_NEW = {"from": NEW_PHONE, "name": "Eva B"}


class OnePersonCase(LeadCase):
    def open_leads(self):
        return self.env["crm.lead"].search(
            [("whatsapp_gateway_id", "=", self.gateway.id)]
        )

    def conversations(self):
        return (
            self.env["discuss.channel"]
            .with_context(active_test=False)
            .search([("gateway_id", "=", self.gateway.id)])
        )

    def changed_number(self, old=PHONE, new=NEW_PHONE, **more):
        """Meta tells that a person has another number now."""
        system = {"body": "x", "wa_id": new, "type": "user_changed_number", **more}
        person = {"from": old}
        self.receive(self.message("system", system, person=person), person=person)

    def echo(self, text="Hello, this is the shop", to=PHONE, **more):
        """Somebody of ours wrote with the app on the phone."""
        echo = {
            "from": "5215500000001",
            "to": to,
            "id": f"wamid.echo{next(self.wamids)}",
            "timestamp": str(self.now),
            "type": "text",
            "text": {"body": text},
            **more,
        }
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"phone_number_id": "10001"},
            "message_echoes": [echo],
        }
        change = {"field": "smb_message_echoes", "value": value}
        entry = {"id": "20001", "changes": [change]}
        self.post({"object": "whatsapp_business_account", "entry": [entry]})
        self.drain()


class TestMerging(OnePersonCase):
    def two(self):
        """Return the conversations of a person who came by two names."""
        return self.say("1 phone", BY_NUMBER), self.say("2 bsuid", BY_USER)

    def test_number_then_user_id_then_both(self):
        first, second = self.two()
        self.assertEqual(len(self.open_leads()), 2)
        owners = first.lead_id.user_id + second.lead_id.user_id
        self.assertEqual(len(owners), 2)
        channel = self.say("3 both", BY_BOTH)
        self.assertEqual(self.say("4 both", BY_BOTH), channel)
        self.receive(self.message(content="5", person=BY_USER), person=BY_USER)
        self.assertEqual(self.conversations(), channel)
        self.assertFalse(second.exists())
        self.assertEqual(
            self.texts(channel), ["1 phone", "2 bsuid", "3 both", "4 both", "5"]
        )
        lead = channel.lead_id
        self.assertEqual(self.open_leads(), lead)
        self.assertEqual(
            (channel.whatsapp_phone, channel.whatsapp_bsuid),
            ("+525550001111", BSUID),
        )
        self.assertEqual(channel.gateway_channel_token, PHONE)
        # one author, one customer in it, one salesperson
        self.assertEqual(len(channel.channel_member_ids.guest_id), 1)
        said = channel.message_ids.filtered(lambda m: m.message_type == "comment")
        self.assertEqual(len(said.author_guest_id), 1)
        self.assertEqual(lead.user_id, owners[0], "who had the customer first")
        self.assertEqual(channel.channel_member_ids.partner_id, lead.user_id.partner_id)
        for record in (lead, channel):
            self.assertIn("were with one person", self.notes(record))
        self.assertIn("The rule:", self.notes(lead))
        self.assertIn("before the other salesperson", lead.whatsapp_assign_reason)
        self.assertEqual(len(lead._whatsapp_calls()), 1)
        self.assertEqual(lead._whatsapp_calls().user_id, lead.user_id)
        self.assertFalse(self.events(kind="merge", state="pending"))

    def test_user_id_then_number_then_both(self):
        second, first = self.say("2", BY_USER), self.say("1", BY_NUMBER)
        self.say("3", BY_BOTH)
        self.assertEqual(self.conversations(), second, "the older one stays")
        self.assertEqual(second.gateway_channel_token, PHONE)
        self.assertEqual(self.texts(second), ["2", "1", "3"])
        self.assertFalse(first.exists())

    def test_who_answered_last_has_the_customer(self):
        first, second = self.two()
        answered = second.lead_id.user_id
        self.answer(second, "I help you")
        self.send_due()
        channel = self.say("3 both", BY_BOTH)
        self.assertEqual(channel, first)
        self.assertEqual(channel.lead_id.user_id, answered)
        self.assertIn("last to answer", channel.lead_id.whatsapp_assign_reason)
        self.assertEqual(channel.channel_member_ids.partner_id, answered.partner_id)

    def test_both_salespeople_are_told(self):
        first, second = self.two()
        owners = first.lead_id.user_id + second.lead_id.user_id
        channel = self.say("3 both", BY_BOTH)
        notices = self.env["mail.message"].search(
            [
                ("model", "=", "crm.lead"),
                ("res_id", "=", channel.lead_id.id),
                ("subject", "like", "two conversations are one"),
            ]
        )
        self.assertEqual(notices.partner_ids, owners.partner_id)

    def test_statuses_and_what_is_to_be_sent_follow(self):
        first, second = self.two()
        sent = self.answer(second, "Sent before")
        self.send_due()
        self.meta.answers.append((503, {}))
        waiting = self.answer(second, "Waits")
        channel = self.say("3 both", BY_BOTH)
        self.assertEqual((sent + waiting).channel_id, channel)
        self.status(sent, "read")
        self.assertEqual(sent.delivery, "read")
        self.assertEqual(waiting.payload.get("to"), f"+{PHONE}")
        self.assertNotIn("recipient", waiting.payload)
        self.meta.answers.clear()
        self.send_due()
        self.assertEqual(waiting.state, "sent")
        self.assertEqual(first, channel)

    def test_a_message_on_its_way_puts_the_merge_off(self):
        first, second = self.two()
        with db_connect(self.env.cr.dbname).cursor() as sender:
            sender.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                (channel_key(second.id),),
            )
            channel = self.say("3 both", BY_BOTH)
            self.assertEqual(channel, first)
            self.assertEqual(self.texts(channel)[-1], "3 both", "nobody waits for it")
            self.assertEqual(self.conversations(), first | second)
            [event] = self.events(kind="merge")
            self.assertEqual(event.state, "pending")
            self.assertFalse(event.failed_since)
            later = event.next_attempt_at
        self.assertEqual(self.say("4 both", BY_BOTH), first)
        self.assertEqual(self.conversations(), first | second)
        with at(later + timedelta(seconds=1)):
            self.drain()
        self.assertEqual(self.conversations(), first)
        self.assertEqual(len(self.events(kind="merge")), 1)

    def test_the_state_is_that_of_both(self):
        first, second = self.two()
        self.answer(first, "Answered")
        self.send_due()
        second.whatsapp_opt_out = True
        waits = second.whatsapp_conversation_ids.waiting_since
        self.now += 60
        channel = self.say("3 both", BY_BOTH)
        self.assertTrue(channel.whatsapp_opt_out)
        self.assertEqual(channel.whatsapp_conversation_ids.state, "open")
        self.assertEqual(channel.whatsapp_conversation_ids.waiting_since, waits)
        self.assertEqual(channel.whatsapp_conversation_ids.last_text, "3 both")
        self.assertTrue(channel.whatsapp_window_open)

    def test_a_closed_lead_stays_history(self):
        first, second = self.two()
        won = first.lead_id
        won.action_set_won()
        open_lead = second.lead_id
        # with both names: it goes on in the first conversation
        self.gateway.whatsapp_won_days = 30
        channel = self.say("3 both", BY_BOTH)
        self.assertEqual(channel, first)
        self.assertEqual(channel.lead_id, open_lead)
        self.assertTrue(won.exists())
        self.assertEqual(self.open_leads(), won | open_lead)

    def test_leads_that_a_rule_keeps_apart_keep_no_conversation_apart(self):
        first, second = self.two()
        leads = first.lead_id | second.lead_id

        def refuse(records, *args, **kwargs):
            raise ValueError("not these")

        self.patch(type(leads), "_merge_opportunity", refuse)
        with self.assertLogs("odoo.addons.crm_whatsapp_gateway", "WARNING"):
            channel = self.say("3 both", BY_BOTH)
        self.assertEqual(self.conversations(), channel)
        self.assertEqual(self.open_leads(), leads)
        self.assertIn("perhaps to be merged", self.notes(channel.lead_id))

    def test_a_colleague_who_was_invited_stays(self):
        first, second = self.two()
        guest = new_test_user(self.env, "ines", groups="sales_team.group_sale_salesman")
        second._whatsapp_add_members(guest)
        channel = self.say("3 both", BY_BOTH)
        self.assertIn(guest.partner_id, channel.channel_member_ids.partner_id)
        self.assertEqual(channel, first)

    def test_a_number_that_the_customer_shares(self):
        by_number = self.say("By number", BY_NUMBER)
        by_user = self.say("By user", BY_USER)
        by_user.with_user(by_user.lead_id.user_id).action_ask_phone()
        card = {
            "name": {"formatted_name": "Eva"},
            "phones": [{"phone": f"+{PHONE}", "wa_id": PHONE}],
            "origin": "contact_request",
        }
        message = self.message("contacts", [card], person=BY_USER)
        self.receive(message, person=BY_USER)
        self.assertEqual(self.conversations(), by_number)
        self.assertEqual(by_number.whatsapp_bsuid, BSUID)
        self.assertEqual(self.open_leads(), by_number.lead_id)
        self.assertIn("told us the number", self.notes(by_number.lead_id))
        self.assertFalse(by_user.exists())

    def test_a_status_that_tells_the_user_id_keeps_the_answer_together(self):
        channel = self.say("By number", BY_NUMBER)
        row = self.answer(channel)
        self.send_due()
        self.status(row, "delivered", recipient_user_id=BSUID)
        self.assertEqual(channel.whatsapp_bsuid, BSUID)
        self.receive(self.message(content="By user", person=BY_USER), person=BY_USER)
        self.assertEqual(self.conversations(), channel)
        self.assertEqual(self.texts(channel)[-1], "By user")

    def test_a_status_about_somebody_else_tells_nothing(self):
        channel = self.say("By number", BY_NUMBER)
        row = self.answer(channel)
        self.send_due()
        self.status(
            row, "delivered", recipient_id=NEW_PHONE, recipient_user_id="MX.999"
        )
        self.assertFalse(channel.whatsapp_bsuid)
        self.assertEqual(channel.gateway_channel_token, PHONE)

    def test_the_conversations_of_two_people_stay_two(self):
        self.say("Eva", BY_BOTH)
        self.say("Ana", ANA)
        self.assertEqual(len(self.conversations()), 2)
        self.assertFalse(self.events(kind="merge"))


class TestChangedNumber(OnePersonCase):
    def test_a_change_after_the_new_number_wrote(self):
        old, new = self.say("viejo", BY_NUMBER), self.say("nuevo", AT_NEW)
        self.changed_number()
        self.assertEqual(self.conversations(), old)
        self.assertFalse(new.exists())
        self.assertEqual(self.texts(old), ["viejo", "nuevo"])
        self.assertEqual(old.gateway_channel_token, NEW_PHONE)
        self.assertEqual(old.whatsapp_phone, "+525550002222")
        lead = old.lead_id
        self.assertEqual(self.open_leads(), lead)
        self.assertEqual(lead.phone_sanitized, "+525550002222")
        self.assertIn("changed the number", self.notes(lead))
        self.say("otra vez", AT_NEW)
        self.assertEqual(self.conversations(), old)
        self.assertEqual(len(old.channel_member_ids.guest_id), 1)

    def test_lead_contact_and_author_follow(self):
        partner = self.env["res.partner"].create(
            {"name": "Socio G", "phone": f"+{PHONE}"}
        )
        channel = self.say("hola", BY_NUMBER)
        lead = channel.lead_id
        self.assertEqual(lead.partner_id, partner)
        row = self.answer(channel)
        self.changed_number()
        self.say("otra vez", AT_NEW)
        said = channel.message_ids.filtered(
            lambda m: m.message_type == "comment" and m.whatsapp_message_id
        )
        self.assertEqual(said.author_id - row.message_id.author_id, partner)
        self.assertFalse(said.author_guest_id)
        self.assertEqual(partner.phone, "+52 55 5000 2222")
        self.assertEqual(lead.phone, "+52 55 5000 2222")
        self.assertEqual(lead.whatsapp_phones, "+525550002222")
        self.assertIn("changed the WhatsApp number", self.notes(lead))
        self.assertEqual(row.payload["to"], f"+{NEW_PHONE}", "it waited to be sent")

    def test_beside_other_numbers_the_new_one_comes_first(self):
        lead = self.lead(phone="+52 55 5000 1111 (casa) / +34 612 34 56 78")
        channel = self.say("hola", BY_NUMBER)
        self.assertEqual(channel.lead_id, lead)
        self.changed_number()
        self.assertTrue(lead.phone.startswith("+52 55 5000 2222 / "), lead.phone)
        self.assertIn("+34 612 34 56 78", lead.phone)

    def test_other_contacts_with_the_number_are_named(self):
        partner = self.env["res.partner"].create(
            {"name": "Socio G", "phone": f"+{PHONE}"}
        )
        twin = self.env["res.partner"].create({"name": "Gemelo", "phone": f"+{PHONE}"})
        channel = self.say("hola", BY_NUMBER)
        other = (partner | twin) - channel.lead_id.partner_id
        self.changed_number()
        self.assertEqual(other.phone, f"+{PHONE}")
        self.assertIn(other.name, self.notes(channel.lead_id))

    def test_a_number_with_a_new_owner(self):
        channel = self.say("hola", BY_BOTH)
        self.say("yo", {**BY_BOTH, "bsuid": "MX.999"})
        self.assertEqual(channel.whatsapp_bsuid, "MX.999")
        for record in (channel, channel.lead_id):
            self.assertIn("may have a new owner", self.notes(record))

    def test_a_change_that_meta_tells_of_is_no_new_owner(self):
        channel = self.say("hola", BY_BOTH)
        self.changed_number(user_id="MX.999", previous_user_id=BSUID)
        self.say("yo", {**AT_NEW, "bsuid": "MX.999"})
        self.assertEqual(self.conversations(), channel)
        self.assertEqual(channel.whatsapp_bsuid, "MX.999")
        self.assertNotIn("may have a new owner", self.notes(channel))

    def test_a_conversation_that_is_called_by_its_number(self):
        channel = self.say("hola", {"from": PHONE})
        self.assertEqual(channel.name, "+52 55 5000 1111")
        self.changed_number()
        self.assertEqual(channel.name, "+52 55 5000 2222")


class TestNames(OnePersonCase):
    def test_a_name_that_comes_after_our_own_words(self):
        self.echo()
        channel = self.conversations()
        self.assertEqual(channel.name, "+52 55 5000 1111")
        self.say("gracias", {"from": PHONE, "name": "Cliente Real"})
        self.assertEqual(channel.name, "Cliente Real")
        lead = channel.lead_id
        self.assertEqual(
            (lead.name, lead.contact_name), ("Cliente Real (WhatsApp)", "Cliente Real")
        )

    def test_a_name_that_comes_in_a_later_message(self):
        channel = self.say("uno", {"from": PHONE})
        lead = channel.lead_id
        self.assertEqual(lead.contact_name, "+52 55 5000 1111")
        self.say("dos", {"from": PHONE, "name": "Eva"})
        self.assertEqual(channel.name, "Eva")
        self.assertEqual((lead.name, lead.contact_name), ("Eva (WhatsApp)", "Eva"))
        self.assertEqual(channel.channel_member_ids.guest_id.name, "Eva")

    def test_a_name_of_ours_stays(self):
        channel = self.say("uno", {"from": PHONE})
        lead = channel.lead_id
        lead.write({"name": "Big order", "contact_name": "Doña Eva"})
        self.say("dos", {"from": PHONE, "name": "Eva"})
        self.assertEqual((lead.name, lead.contact_name), ("Big order", "Doña Eva"))
        self.assertEqual(channel.name, "Eva")
        self.say("tres", {"from": PHONE, "name": "Other"})
        self.assertEqual(channel.name, "Eva")

    def test_a_user_id_is_no_name(self):
        self.echo(to=None, to_user_id=BSUID)
        channel = self.conversations()
        self.assertEqual(channel.name, BSUID)
        person = {"bsuid": BSUID, "name": "Eva"}
        self.receive(self.message(content="Hi", person=person), person=person)
        self.assertEqual((channel.name, channel.lead_id.contact_name), ("Eva", "Eva"))

    def test_a_name_of_which_nothing_is_seen_is_none(self):
        names = [
            "\u3164",
            "\u2800",
            "\u200b\u200b",
            "\u200e",
            " \ufeff\u00a0",
            "\u0301",
        ]
        for n, name in enumerate(names):
            person = {"from": f"52155500030{n:02}", "name": name}
            channel = self.say("hola", person)
            number = f"+52 55 5000 30{n:02}"
            self.assertEqual(channel.name, number)
            self.assertEqual(channel.lead_id.name, f"{number} (WhatsApp)")
            self.assertEqual(channel.channel_member_ids.guest_id.name, number)
        self.assertEqual(
            self.say("hola", {"from": PHONE, "name": "\u202eanA\u202c"}).name, "anA"
        )
        person = {"from": NEW_PHONE, "name": "Eva\nRuiz"}
        channel = self.say("hola", person)
        self.assertEqual(channel.name, "Eva Ruiz")
        self.assertEqual(channel.lead_id.contact_name, "Eva Ruiz")


class TestSecondNumber(OnePersonCase):
    def partner(self):
        values = {"name": "Casa y móvil", "phone": "+52 55 4160 2200"}
        field = "mobile" if "mobile" in self.env["res.partner"]._fields else None
        if field:
            values[field] = f"+{PHONE}"
        else:
            values["phone"] += f" / +{PHONE}"
        return self.env["res.partner"].create(values)

    def test_the_author_is_the_contact(self):
        partner = self.partner()
        channel = self.say("hola", BY_NUMBER)
        said = channel.message_ids.filtered("whatsapp_message_id")
        self.assertEqual(said.author_id, partner)
        self.assertFalse(said.author_guest_id)
        self.assertEqual(channel.lead_id.partner_id, partner)

    def test_a_card_with_that_number_is_known(self):
        partner = self.partner()
        channel = self.say(person=ANA)
        card = {"name": {"formatted_name": "X"}, "phones": [{"phone": f"+{PHONE}"}]}
        self.receive(self.message("contacts", [card]))
        message = channel.message_ids.filtered("whatsapp_cards")
        user = channel.lead_id.user_id
        action = message.with_user(user).action_whatsapp_save_contact()
        self.assertEqual(action.get("domain"), [("id", "in", partner.ids)])


class TestWithoutNumber(OnePersonCase):
    PERSON = {"bsuid": BSUID, "name": "Eva"}

    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(
            self.message(content="Hi", person=self.PERSON), person=self.PERSON
        )
        self.channel.whatsapp_username = "evab"

    def test_the_number_is_asked_for_first(self):
        call = self.channel.lead_id._whatsapp_calls()
        self.assertIn("Ask for the phone number", call.summary)
        self.say("Now by number", {"from": PHONE, "bsuid": BSUID, "name": "Eva"})
        self.assertIn("Call now", call.summary)
        self.assertEqual(self.channel.lead_id.phone, "+52 55 5000 1111")

    def test_a_call_shows_the_name_as_the_customer_typed_it(self):
        person = {"bsuid": "MX.66", "name": '<a href="https://evil.example">Pay</a>'}
        channel = self.receive(self.message(content="Hi", person=person), person=person)
        note = channel.lead_id._whatsapp_calls().note
        self.assertIn("&lt;a href=", note)
        self.assertNotIn("<a", note)

    def test_the_crm_finds_the_username(self):
        lead = self.channel.lead_id
        leads = self.env["crm.lead"].with_user(lead.user_id)
        for words in ("@evab", "evab", "EVA"):
            self.assertEqual(
                leads.search([("whatsapp_username", "ilike", words)]), lead
            )
        self.assertEqual(lead.with_user(lead.user_id).whatsapp_username, "evab")
        other = self.users - lead.user_id
        self.assertFalse(
            leads.with_user(other).search([("whatsapp_username", "ilike", "evab")])
        )


class TestCorrectedNumber(OnePersonCase):
    """A lead whose number was wrong, and is another one now."""

    def set_scene(self):
        super().set_scene()
        self.record = self.lead(phone="+52 55 5000 1111", user_id=self.sofia.id)
        self.record = self.record.with_user(self.sofia)
        self.record.action_open_whatsapp()
        self.wrong = self.record.whatsapp_channel_ids
        self.record.phone = "+52 55 5000 2222"

    def opened(self, action):
        return self.env["discuss.channel"].browse(action["params"]["channel_id"])

    def test_the_button_opens_the_conversation_with_the_right_one(self):
        channel = self.opened(self.record.action_open_whatsapp())
        self.assertNotEqual(channel, self.wrong)
        self.assertEqual(channel.whatsapp_phone, "+525550002222")
        self.assertEqual(channel.lead_id, self.record.sudo())
        again = self.opened(self.record.action_open_whatsapp())
        self.assertEqual(again, channel)

    def test_a_template_goes_to_the_right_one(self):
        template = self.template()
        wizards = self.env["whatsapp.send.template"].with_user(self.sofia)
        form = Form(wizards.with_context(default_channel_id=self.wrong.id))
        form.template_id = template
        self.assertEqual(form.other_phone, "+52 55 5000 2222")
        self.assertTrue(form.to_other_phone)
        form.save().action_send()
        self.send_due()
        self.assertEqual([sent["to"] for sent in self.meta.sent], ["+525550002222"])

    def test_where_the_customer_wrote_it_is_asked(self):
        self.say("It is me", {"from": PHONE, "name": "Eva"})
        self.assertEqual(self.wrong.lead_id, self.record.sudo())
        self.assertEqual(self.opened(self.record.action_open_whatsapp()), self.wrong)
        panel = self.wrong.with_user(self.sofia).whatsapp_panel()
        self.assertEqual(
            (panel["phone"], panel["other_phone"]),
            ("+52 55 5000 1111", "+52 55 5000 2222"),
        )
        action = self.wrong.with_user(self.sofia).action_whatsapp_other_number()
        self.assertEqual(self.opened(action).whatsapp_phone, "+525550002222")
        template = self.template()
        wizards = self.env["whatsapp.send.template"].with_user(self.sofia)
        form = Form(wizards.with_context(default_channel_id=self.wrong.id))
        form.template_id = template
        self.assertFalse(form.to_other_phone)
        form.save().action_send()
        self.send_due()
        self.assertEqual([sent["to"] for sent in self.meta.sent], [f"+{PHONE}"])

    def test_the_same_number_in_another_spelling_is_no_other(self):
        self.record.phone = "55 5000 1111"
        self.assertFalse(self.wrong._whatsapp_other_phone())
        self.assertEqual(self.opened(self.record.action_open_whatsapp()), self.wrong)

    def test_a_colleague_gets_nothing(self):
        with self.assertRaises(AccessError):
            self.wrong.with_user(self.tomas).action_whatsapp_other_number()


class TestStrangersStayTwo(OnePersonCase):
    """Names that two different people had, one after the other."""

    def test_a_number_that_a_third_person_had(self):
        ana = {"from": PHONE, "bsuid": BSUID, "name": "A"}
        first = self.say("A", ana)
        other = self.say("C", {"from": NEW_PHONE, "bsuid": "MX.777", "name": "C"})
        self.changed_number(user_id="MX.999", previous_user_id=BSUID)
        self.say("A again", {"from": NEW_PHONE, "bsuid": "MX.999", "name": "A"})
        self.assertEqual(self.conversations(), first | other)
        self.assertEqual(self.texts(first), ["A", "A again"])
        self.assertEqual(self.texts(other), ["C"])
        self.assertEqual(other.gateway_channel_token, "MX.777")
        self.assertFalse(other.whatsapp_phone)
        self.assertIn("may have a new owner", self.notes(other.lead_id))

    def test_a_number_with_a_new_owner_who_wrote_before(self):
        first = self.say("A", {"from": PHONE, "bsuid": BSUID, "name": "A"})
        other = self.say("B", {"bsuid": "MX.777", "name": "B"})
        self.say("B, too", {"from": PHONE, "bsuid": "MX.777", "name": "B"})
        self.assertEqual(self.conversations(), first | other)
        self.assertEqual(self.texts(first), ["A"])
        self.assertEqual(self.texts(other), ["B", "B, too"])
        self.assertEqual(other.gateway_channel_token, PHONE)
        self.assertEqual(first.gateway_channel_token, BSUID)

    def test_a_shared_number_of_another_user(self):
        first = self.say("A", {"from": PHONE, "bsuid": "MX.555", "name": "A"})
        other = self.say("B", BY_USER)
        card = {
            "name": {"formatted_name": "Eva"},
            "phones": [{"phone": f"+{PHONE}"}],
            "origin": "contact_request",
        }
        self.receive(self.message("contacts", [card], person=BY_USER), person=BY_USER)
        self.assertEqual(self.conversations(), first | other)


class TestMergingLosesNothing(OnePersonCase):
    def test_a_file_that_is_still_to_come(self):
        self.say("user", BY_USER)
        self.say("number", BY_NUMBER)
        address = "https://lookaside.fbsbx.com/x"
        info = {"url": address, "mime_type": "image/png", "id": "9"}
        self.meta.answers = [(200, info)]
        self.patch(CloudApi, "download", lambda *args, **kwargs: b"content")
        picture = {"id": "9", "mime_type": "image/png"}
        self.receive(self.message("image", picture, person=BY_BOTH), person=BY_BOTH)
        channel = self.conversations()
        self.assertEqual(len(channel), 1)
        file = channel.message_ids.attachment_ids
        self.assertEqual((file.raw, file.res_id), (b"content", channel.id))

    def test_a_lead_that_is_still_to_be_made(self):
        self.say("user", BY_USER).lead_id.unlink()

        def refuse(records, vals_list):
            raise ValueError("no")

        leads = type(self.env["crm.lead"])
        with mute_logger(EVENTS), patch.object(leads, "create", refuse):
            self.say("number", BY_NUMBER)
            self.say("both", BY_BOTH)
        self.assertEqual(len(self.conversations()), 1)
        with at(fields.Datetime.now() + timedelta(days=1)):
            self.drain()
        self.assertTrue(self.conversations().lead_id)

    def test_leads_of_two_companies_stay_two(self):
        self.say("1", BY_NUMBER)
        lead = self.say("2", BY_USER).lead_id
        other = self.env["res.company"].create({"name": "Other Co"})
        lead.write({"user_id": False, "team_id": False})
        lead.company_id = other
        self.say("both", BY_BOTH)
        self.assertEqual(self.open_leads().company_id, self.company | other)
        self.assertEqual(len(self.conversations()), 1)

    def test_the_window_is_that_of_the_last_message(self):
        second, first = self.say("2", BY_USER), self.say("1", BY_NUMBER)
        second._whatsapp_close_window()
        with at(fields.Datetime.now() + timedelta(minutes=5)):
            self.now += 300
            self.say("3 both", BY_BOTH)
        self.assertEqual(self.conversations(), second)
        self.assertFalse(second.whatsapp_window_closed_at)
        self.assertFalse(first.exists())

    def test_a_number_stays_the_address(self):
        channel = self.say("1", BY_NUMBER)
        row = self.answer(channel)
        self.send_due()
        self.say("2", BY_USER)
        with at(fields.Datetime.now() + timedelta(minutes=5)):
            self.now += 300
            self.receive(self.message(content="3", person=BY_USER), person=BY_USER)
            self.status(row, "delivered", recipient_user_id=BSUID)
        self.assertEqual(self.conversations(), channel)
        self.assertEqual(channel.gateway_channel_token, PHONE)

    def test_the_words_of_the_salesperson_on_the_call_stay(self):
        call = self.say("1", BY_USER).lead_id._whatsapp_calls()
        call.summary = "Call at 5, wants 3 kW"
        self.say("2", BY_BOTH)
        self.assertEqual(call.summary, "Call at 5, wants 3 kW")

    def test_an_id_does_not_replace_a_number(self):
        person = {"from": PHONE, "bsuid": BSUID, "name": "\u3164"}
        channel = self.say("hola", person)
        hidden = {"bsuid": BSUID, "name": "\u3164"}
        self.receive(self.message(content="x", person=hidden), person=hidden)
        self.assertEqual(channel.name, "+52 55 5000 1111")

    def test_a_card_with_what_the_database_cannot_store(self):
        cards = (
            "BEGIN:VCARD\nFN:Ana\nTEL;ENCODING=QUOTED-PRINTABLE:=00612\nEND:VCARD",
            "BEGIN:VCARD\nFN:Ana\nEMAIL;CHARSET=utf-7;ENCODING=QUOTED-PRINTABLE:+2AA-"
            "\nEND:VCARD",
        )
        for card in cards:
            message = self.message("contacts", [{"vcard": card}])
            self.assertIn("Ana", self.texts(self.receive(message))[-1])
        form = {
            "type": "nfm_reply",
            "nfm_reply": {"response_json": '{"a": "x\\u0000"}'},
        }
        channel = self.receive(self.message("interactive", form))
        self.assertIn("A: x", self.texts(channel)[-1])

    def test_the_lead_s_number_is_written_to_from_the_same_number_of_ours(self):
        other = self.second_number(whatsapp_team_id=False)
        message = self.message(content="x", person=BY_NUMBER)
        self.post(self.delivery(message, person=BY_NUMBER, number="10002"))
        self.drain()
        channel = self.env["discuss.channel"].search([("gateway_id", "=", other.id)])
        lead = channel.lead_id
        lead.phone = "+52 55 5000 2222"
        wizard = (
            self.env["whatsapp.send.template"]
            .with_user(lead.user_id)
            .create(
                {
                    "channel_id": channel.id,
                    "template_id": self.template(gateway_id=other.id).id,
                    "to_other_phone": True,
                }
            )
        )
        wizard.action_send()
        self.send_due()
        self.assertEqual([sent["to"] for sent in self.meta.sent], ["+525550002222"])
