# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tools import html2plaintext, mute_logger

from odoo.addons.mail_gateway_whatsapp_queue import compat
from odoo.addons.mail_gateway_whatsapp_queue.models import whatsapp_webhook_event

from .common import ANA, SECRET, WhatsappCase


class TestInbound(WhatsappCase):
    def test_a_message_of_a_stranger_becomes_an_assigned_lead(self):
        channel = self.receive(self.message(content="How much is it?"))
        lead = channel.lead_id
        self.assertEqual(lead, self.leads())
        self.assertEqual(lead.contact_name, "Ana Pérez")
        self.assertEqual(lead.phone, "+52 55 1234 5678")
        self.assertEqual(lead.phone_sanitized, "+525512345678")
        self.assertEqual(lead.country_id.code, "MX")
        self.assertEqual(lead.source_id.name, "WhatsApp")
        self.assertEqual(lead.medium_id.name, "WhatsApp")
        self.assertEqual(lead.team_id, self.team)
        self.assertIn("How much is it?", lead.description)
        self.assertEqual(lead.user_id, self.sofia)
        self.assertIn(self.sofia.partner_id, channel.channel_member_ids.partner_id)
        self.assertNotIn(self.tomas.partner_id, channel.channel_member_ids.partner_id)
        call = lead.activity_ids
        self.assertEqual(
            call.activity_type_id, self.env.ref("mail.mail_activity_data_call")
        )
        self.assertEqual(call.user_id, self.sofia)
        self.assertLessEqual(call.date_deadline, fields.Date.context_today(call))
        self.assertEqual(self.texts(channel), ["How much is it?"])
        self.assertEqual(self.meta.calls, [], "nothing goes back to the customer")

    def test_the_customer_is_the_author_not_the_public_user(self):
        channel = self.receive(self.message(content="Hi"))
        message = channel.message_ids.filtered(lambda m: m.message_type == "comment")
        self.assertEqual(message.author_guest_id.name, "Ana Pérez")
        self.assertFalse(message.author_id)

    def test_further_messages_stay_with_lead_and_salesperson(self):
        first = self.message(content="One")
        channel = self.receive(first)
        self.receive(first)  # Meta repeats itself
        self.receive(self.message(content="Two"), self.message(content="Three"))
        self.assertEqual(self.texts(channel), ["One", "Two", "Three"])
        self.assertEqual(len(self.leads()), 1)
        self.assertEqual(len(channel.lead_id.activity_ids), 1)
        self.assertEqual(len(self.env["whatsapp.assignment"].search([])), 1)

    def test_a_message_applied_twice_is_shown_once(self):
        message = self.message(content="One")
        channel = self.receive(message)
        event = self.events()
        event.write({"state": "ignored"})
        event.action_process_again()
        self.drain()
        self.assertEqual(event.state, "done")
        self.assertEqual(self.texts(channel), ["One"])

    def test_spellings_of_a_number_are_one_person(self):
        for typed, country, wa_id in (
            ("55 1234 5678", "base.mx", "5215512345678"),
            ("+52 1 55 8765 4321", "base.mx", "525587654321"),
            ("(31) 8888-8888", "base.br", "5531988888888"),
            ("+55 31 97777-7777", "base.br", "553177777777"),
            ("011 15 2233-4455", "base.ar", "5491122334455"),
            ("612 34 56 78", "base.es", "34612345678"),
        ):
            with self.subTest(typed=typed, wa_id=wa_id):
                lead = self.env["crm.lead"].create(
                    {
                        "name": typed,
                        "phone": typed,
                        "country_id": self.env.ref(country).id,
                        "company_id": self.company.id,
                        "user_id": self.tomas.id,
                        "type": "opportunity",
                    }
                )
                person = {"from": wa_id, "name": typed}
                channel = self.receive(
                    self.message(content="Hi", person=person), person=person
                )
                self.assertEqual(channel.lead_id, lead)
                self.assertEqual(lead.user_id, self.tomas, "the owner stays")
                self.assertEqual(len(lead.activity_ids), 1)
                notes = html2plaintext(" ".join(lead.message_ids.mapped("body")))
                self.assertIn("the same number", notes)

    def test_the_number_of_the_lead_s_partner_counts_too(self):
        partner = self.env["res.partner"].create(
            {"name": "Ana", "phone": "+52 55 1234 5678"}
        )
        lead = self.env["crm.lead"].create(
            {"name": "Offer", "partner_id": partner.id, "type": "opportunity"}
        )
        lead.phone = False
        partner.phone = "+52 55 1234 5678"
        channel = self.receive(self.message(content="Hi"))
        self.assertEqual(channel.lead_id, lead)

    def test_a_known_partner_is_the_author_and_the_lead_s_customer(self):
        partner = self.env["res.partner"].create(
            {"name": "Ana Known", "phone": "+525512345678"}
        )
        channel = self.receive(self.message(content="Hi"))
        self.assertEqual(channel.lead_id.partner_id, partner)
        message = channel.message_ids.filtered(lambda m: m.message_type == "comment")
        self.assertEqual(message.author_id, partner)

    def test_three_partners_with_one_number_do_no_harm(self):
        partners = self.env["res.partner"].create(
            [{"name": str(n), "phone": "+525512345678"} for n in range(3)]
        )
        channel = self.receive(self.message(content="Hi"))
        self.assertEqual(channel.lead_id.partner_id, partners[0])

    def test_a_partner_with_two_numbers_can_write_from_both(self):
        partner = self.env["res.partner"].create(
            {"name": "Ana", "phone": "+525512345678"}
        )
        self.receive(self.message(content="From the first"))
        partner.phone = "+525587654321"
        person = {"from": "5215587654321", "name": "Ana"}
        channel = self.receive(
            self.message(content="From the second", person=person), person=person
        )
        self.assertEqual(self.texts(channel), ["From the second"])

    def test_a_person_without_number_can_be_answered(self):
        person = {"bsuid": "ES.9876543210", "name": "Luz"}
        channel = self.receive(
            self.message(content="Hola", person=person), person=person
        )
        lead = channel.lead_id
        self.assertEqual(lead.contact_name, "Luz")
        self.assertFalse(lead.phone)
        self.answer(channel, "Hola Luz")
        self.send_due()
        self.assertEqual(self.meta.sent[0]["recipient"], "ES.9876543210")
        self.assertNotIn("to", self.meta.sent[0])

    def test_a_number_that_comes_later_joins_the_conversation(self):
        hidden = {"bsuid": ANA["bsuid"], "name": "Ana Pérez"}
        channel = self.receive(
            self.message(content="One", person=hidden), person=hidden
        )
        self.receive(self.message(content="Two"))
        self.assertEqual(channel.gateway_channel_token, ANA["from"])
        self.assertEqual(self.texts(channel), ["One", "Two"])
        self.receive(self.message(content="Three", person=hidden), person=hidden)
        self.assertEqual(self.texts(channel), ["One", "Two", "Three"])
        self.assertEqual(len(self.leads()), 1)

    def test_every_kind_says_something(self):
        channel = self.receive(
            self.message("button", {"payload": "yes", "text": "Yes, please"}),
            self.message(
                "interactive",
                {"type": "list_reply", "list_reply": {"id": "b", "title": "Blue"}},
            ),
            self.message("location", {"latitude": 19.4, "longitude": -99.1}),
            self.message("contacts", [{"name": {"formatted_name": "Luis"}}]),
            self.message(
                "order",
                {"product_items": [{"product_retailer_id": "A1", "quantity": 2}]},
            ),
            self.message("sticky_note", {}),
        )
        texts = self.texts(channel)
        self.assertEqual(len(texts), 6)
        for text, word in zip(
            texts,
            ("Yes, please", "Blue", "19.4", "Luis", "A1", "sticky_note"),
            strict=True,
        ):
            self.assertIn(word, text)

    def test_reactions_make_no_lead(self):
        channel = self.receive(
            self.message("reaction", {"message_id": "wamid.x", "emoji": "👍"}),
            self.message("unsupported", {"type": "reaction"}),
        )
        self.assertTrue(channel)
        self.assertFalse(channel.lead_id)

    def test_the_number_is_asked_for_and_only_that_answer_is_trusted(self):
        person = {"bsuid": "ES.9876543210", "name": "Luz"}
        channel = self.receive(
            self.message(content="Hola", person=person), person=person
        )
        channel.with_user(channel.lead_id.user_id).action_ask_phone()
        self.send_due()
        [sent] = self.meta.sent
        self.assertEqual(sent["recipient"], "ES.9876543210")
        self.assertEqual(sent["interactive"]["type"], "request_contact_info")
        self.assertIn("phone number", self.texts(channel)[1])
        card = {
            "name": {"formatted_name": "Luz"},
            "phones": [{"phone": "+34 612 345 678", "wa_id": "34612345678"}],
        }
        self.receive(
            self.message("contacts", [{**card, "origin": "other"}], person=person),
            person=person,
        )
        self.assertFalse(channel.whatsapp_phone, "a friend's card is no answer")
        self.receive(
            self.message(
                "contacts", [{**card, "origin": "contact_request"}], person=person
            ),
            person=person,
        )
        self.assertEqual(channel.whatsapp_phone, "+34612345678")
        self.assertEqual(channel.lead_id.phone, "+34 612 34 56 78")

    def reactions(self, channel):
        return channel.message_ids.reaction_ids.mapped("content")

    def react(self, target, emoji=None):
        content = {"message_id": target}
        if emoji is not None:
            content["emoji"] = emoji
        return self.receive(self.message("reaction", content))

    def test_a_reaction_stands_on_its_message(self):
        first = self.message(content="One")
        channel = self.receive(first)
        self.react(first["id"], "👍")
        self.assertEqual(self.reactions(channel), ["👍"])
        self.react(first["id"], "❤️")
        self.assertEqual(self.reactions(channel), ["❤️"], "one at a time")
        self.react(first["id"])
        self.assertEqual(self.reactions(channel), [])
        self.assertEqual(self.texts(channel), ["One"])
        row = self.answer(channel, "Hello")
        self.send_due()
        self.react(row.wamid, "🎉")
        self.assertEqual(row.message_id.reaction_ids.content, "🎉")

    def test_a_reaction_to_what_nobody_knows_is_shown_in_words(self):
        channel = self.receive(self.message(content="One"))
        self.react("wamid.long.ago", "👍")
        self.assertIn("👍", self.texts(channel)[1])

    def test_an_answer_quotes_its_message(self):
        first = self.message(content="Which colour?")
        channel = self.receive(first)
        row = self.answer(channel, "Blue or red")
        self.send_due()
        self.receive(
            self.message(content="Blue", context={"id": row.wamid}),
            self.message(content="This one", context={"id": first["id"]}),
            self.message(content="Look", context={"forwarded": True}),
        )
        messages = channel.message_ids.sorted("id")
        by_text = {html2plaintext(m.body).strip(): m for m in messages}
        self.assertEqual(by_text["Blue"].parent_id, row.message_id)
        self.assertEqual(by_text["This one"].parent_id, by_text["Which colour?"])
        forwarded = [text for text in by_text if text.endswith("Look")]
        self.assertIn("Forwarded", forwarded[0])

    def test_edits_and_revokes_are_notes(self):
        first = self.message(content="5 chairs")
        channel = self.receive(first)
        edit = {
            "original_message_id": first["id"],
            "message": {"type": "text", "text": {"body": "6 chairs"}},
        }
        self.receive(
            self.message("edit", edit),
            self.message("revoke", {"original_message_id": first["id"]}),
        )
        texts = self.texts(channel)
        self.assertEqual(texts[0], "5 chairs")
        self.assertIn("6 chairs", texts[1])
        self.assertIn("deleted", texts[2])
        notes = channel.message_ids.sorted("id")[-2:]
        self.assertEqual(
            set(notes.mapped("parent_id.whatsapp_message_id")), {first["id"]}
        )

    def test_a_changed_number_keeps_conversation_and_lead(self):
        channel = self.receive(self.message(content="One"))
        lead = channel.lead_id
        system = {
            "body": "Ana changed her number",
            "type": "user_changed_number",
            "wa_id": "5215587654321",
            "user_id": "MX.777",
            "previous_user_id": ANA["bsuid"],
        }
        self.receive(self.message("system", system))
        new = {"from": "5215587654321", "bsuid": "MX.777", "name": "Ana Pérez"}
        found = self.receive(self.message(content="Two", person=new), person=new)
        self.assertEqual((found, found.lead_id), (channel, lead))
        self.assertEqual(self.texts(channel), ["One", "Two"])
        self.assertEqual(channel.whatsapp_phone, "+525587654321")
        self.assertEqual(lead.phone_sanitized, "+525587654321")
        authors = channel.message_ids.filtered(lambda m: m.message_type == "comment")
        self.assertEqual(len(authors.author_guest_id), 1)

    def test_a_changed_user_id_keeps_conversation_and_lead(self):
        person = {"bsuid": "ES.1", "name": "Luz"}
        channel = self.receive(
            self.message(content="One", person=person), person=person
        )
        system = {
            "type": "user_changed_user_id",
            "user_id": "ES.2",
            "previous_user_id": "ES.1",
        }
        self.receive(self.message("system", system, person=person), person=person)
        new = {"bsuid": "ES.2", "name": "Luz"}
        found = self.receive(self.message(content="Two", person=new), person=new)
        self.assertEqual(found, channel)
        self.assertEqual(len(self.leads()), 1)

    def test_what_staff_type_on_the_phone_is_outgoing(self):
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"phone_number_id": "10001"},
            "message_echoes": [
                {
                    "from": "5215500000001",
                    "to": ANA["from"],
                    "id": "wamid.echo1",
                    "timestamp": str(self.now),
                    "type": "text",
                    "text": {"body": "I call you later"},
                }
            ],
        }
        change = {"field": "smb_message_echoes", "value": value}
        body = {"object": "x", "entry": [{"id": "20001", "changes": [change]}]}
        for _time in range(2):
            self.assertEqual(self.post(body).status_code, 200)
            self.drain()
        channel = self.env["discuss.channel"].search([("channel_type", "=", "gateway")])
        self.assertEqual(self.texts(channel), ["I call you later"])
        self.assertFalse(channel.lead_id)
        self.assertFalse(channel.whatsapp_window_open)
        self.assertEqual(channel.whatsapp_conversation_ids.last_author, "us")
        self.assertEqual(self.meta.calls, [], "it is not sent once more")
        self.receive(self.message(content="Fine"))
        self.assertTrue(channel.lead_id)
        self.assertEqual(
            channel.whatsapp_conversation_ids.waiting_since,
            channel.whatsapp_conversation_ids.last_date,
        )

    def change(self, field, **value):
        change = {"field": field, "value": value}
        body = {
            "object": "x",
            "entry": [{"id": "20001", "time": 1, "changes": [change]}],
        }
        self.assertEqual(self.post(body).status_code, 200)
        self.drain()

    def test_stop_and_resume_of_marketing_are_kept(self):
        channel = self.receive(self.message(content="One"))
        for wish, kept in (("stop", True), ("resume", False)):
            preference = {"wa_id": ANA["from"], "value": wish, "timestamp": 1}
            self.change("user_preferences", user_preferences=[preference])
            self.assertEqual(channel.whatsapp_opt_out, kept)

    def test_a_template_follows_meta_s_state(self):
        template = self.env["mail.whatsapp.template"].create(
            {
                "name": "Greeting",
                "template_name": "greeting",
                "body": "Hello",
                "category": "marketing",
                "language": "es",
                "gateway_id": self.gateway.id,
                "state": "approved",
            }
        )
        template.template_uid = "4711"
        self.change(
            "message_template_status_update", event="PAUSED", message_template_id=4711
        )
        self.assertEqual(template.state, "paused")

    def test_a_picture_joins_its_message(self):
        self.meta.answers = [
            (200, {"id": "m1", "url": "https://lookaside.fbsbx.com/x"}),
        ]
        picture = {"id": "m1", "mime_type": "image/png", "caption": "My kitchen"}
        self.post(self.delivery(self.message("image", picture)))
        self.env.flush_all()
        with self.png_download():
            self.drain()
        channel = self.leads().whatsapp_channel_ids
        message = channel.message_ids.filtered(lambda m: m.message_type == "comment")
        self.assertIn("My kitchen", html2plaintext(message.body))
        self.assertEqual(message.attachment_ids.mimetype, "image/png")
        self.assertEqual(message.attachment_ids.res_id, channel.id)

    def png_download(self):
        from unittest.mock import patch

        from odoo.addons.mail_gateway_whatsapp_queue.tools.cloud_api import CloudApi

        pixel = bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
            "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
            "0000000049454e44ae426082"
        )
        return patch.object(CloudApi, "download", lambda *args: pixel)

    @mute_logger(
        "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_webhook_event"
    )
    def test_a_file_that_fails_never_costs_its_message(self):
        self.meta.answers = [(500, {"error": {"code": 131000}})]
        picture = {"id": "m1", "mime_type": "image/png", "caption": "My kitchen"}
        channel = self.receive(self.message("image", picture))
        self.assertIn("My kitchen", self.texts(channel)[0])
        media = self.events(kind="media")
        self.assertEqual((media.state, media.attempts), ("pending", 1))
        media.next_attempt_at = fields.Datetime.now() - timedelta(seconds=1)
        self.meta.answers = [
            (200, {"id": "m1", "url": "https://lookaside.fbsbx.com/x"}),
        ]
        with self.png_download():
            self.drain()
        self.assertEqual(media.state, "done")
        message = channel.message_ids.filtered(lambda m: m.message_type == "comment")
        self.assertEqual(len(message.attachment_ids), 1)

    def test_dates_are_those_of_meta(self):
        self.now = 1790000000
        channel = self.receive(self.message(content="Hi"))
        when = datetime(2026, 9, 21, 14, 13, 20)
        message = channel.message_ids.filtered(lambda m: m.message_type == "comment")
        self.assertEqual(message.date, when)
        self.assertEqual(channel.whatsapp_last_customer_date, when)
        self.assertEqual(self.events().occurred_at, when)

    def test_an_archived_conversation_comes_back(self):
        channel = self.receive(self.message(content="One"))
        channel.active = False
        self.receive(self.message(content="Two"))
        self.assertTrue(channel.active)
        self.assertEqual(self.texts(channel), ["One", "Two"])

    def test_deleted_lead_partner_and_conversation_do_not_break(self):
        channel = self.receive(self.message(content="One"))
        channel.lead_id.unlink()
        self.receive(self.message(content="Two"))
        self.assertTrue(channel.lead_id)
        channel.unlink()
        again = self.receive(self.message(content="Three"))
        self.assertEqual(self.texts(again), ["Three"])

    def test_an_internal_user_may_write_from_the_own_phone(self):
        self.gateway.member_ids = self.sofia
        self.sofia.partner_id.phone = "+525512345678"
        channel = self.receive(self.message(content="Testing"))
        self.assertEqual(self.texts(channel), ["Testing"])

    def test_members_of_the_gateway_are_asked_only_when_nobody_is_on_duty(self):
        self.gateway.member_ids = self.tomas
        self.employees.whatsapp_agent = False
        channel = self.receive(self.message(content="Hi"))
        self.assertFalse(channel.lead_id.user_id)
        self.assertIn(self.tomas.partner_id, channel.channel_member_ids.partner_id)
        self.assertEqual(channel.lead_id.activity_ids.user_id, self.tomas)

    def test_a_conversation_that_we_begin_makes_no_lead(self):
        channel = self.env["discuss.channel"].create(
            {
                "name": "New",
                "channel_type": "gateway",
                "gateway_id": self.gateway.id,
                "gateway_channel_token": "5215512345678",
            }
        )
        self.assertFalse(channel.lead_id)
        self.assertEqual(channel.whatsapp_phone, "+525512345678")
        lead = self.env["crm.lead"].create({"name": "Old", "phone": "+525587654321"})
        channel = self.env["discuss.channel"].create(
            {
                "name": "Known",
                "channel_type": "gateway",
                "gateway_id": self.gateway.id,
                "gateway_channel_token": "5215587654321",
            }
        )
        self.assertEqual(channel.lead_id, lead)

    def test_one_conversation_per_person_is_kept_by_the_database(self):
        self.env.cr.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'discuss_channel'"
        )
        names = [name for (name,) in self.env.cr.fetchall()]
        self.assertIn("discuss_channel_whatsapp_person_uniq", names)

    def test_normalize_phone_number_is_false_for_what_is_no_number(self):
        normalize = self.env["discuss.channel"]._normalize_phone_number
        for number in ("", False, "abc", "12", ANA["bsuid"]):
            self.assertIs(normalize(number), False, number)
        self.assertEqual(normalize("55 1234 5678"), "+525512345678")
        self.assertEqual(
            normalize("612345678", self.env.ref("base.es")), "+34612345678"
        )

    def test_queries_of_a_further_message_do_not_grow(self):
        self.receive(self.message(content="One"))
        counts = []
        for _time in range(3):
            self.post(self.delivery(self.message(content="Next")))
            before = self.env.cr.sql_log_count
            self.drain()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[-1], counts[0], counts)

    def test_persons_share_what_a_transaction_reads(self):
        def cost(*persons):
            for person in persons:
                message = self.message(content="Next", person=person)
                self.post(self.delivery(message, person=person))
            before = self.env.cr.sql_log_count
            self.drain()
            return self.env.cr.sql_log_count - before

        people = [{"from": f"52155{n:08}", "name": f"P{n}"} for n in range(9)]
        cost(*people)
        one = cost(people[0])
        self.assertLess(cost(*people[1:]), 8 * 0.85 * one)
        self.assertEqual(set(self.events().mapped("state")), {"done"})

    def test_a_message_costs_few_queries(self):
        def cost(text, *persons):
            for person in persons:
                message = self.message(content=text, person=person)
                self.post(self.delivery(message, person=person))
            before = self.env.cr.sql_log_count
            self.drain()
            return (self.env.cr.sql_log_count - before) / len(persons)

        self.patch(whatsapp_webhook_event, "SHARE", 60)
        known, alone, *ten = (
            {"from": f"52155{n:08}", "bsuid": f"MX.{n}", "name": f"P{n}"}
            for n in range(12)
        )
        cost("what every process reads once", known)
        most = (27, 14, 72, 39) if compat.V19 else (17, 9, 60, 37)
        costs = {
            "first of ten": (most[0], cost("first", *ten)),
            "further of ten": (most[1], cost("further", *ten)),
            "first": (most[2], cost("first", alone)),
            "further": (most[3], cost("further", alone)),
        }
        self.assertEqual(set(self.events().mapped("state")), {"done"})
        self.assertFalse(
            [
                (what, most, found)
                for what, (most, found) in costs.items()
                if found > most
            ]
        )

    def test_a_status_of_nobody_s_message_holds_back_no_message(self):
        status = {"id": "wamid.nobody", "status": "read", "recipient_id": ANA["from"]}
        channel = self.receive(self.message(content="One"), statuses=[status])
        waiting = self.events(kind="status")
        self.assertEqual((waiting.state, waiting.attempts), ("pending", 1))
        self.receive(self.message(content="Two"))
        self.assertEqual(self.texts(channel), ["One", "Two"])

    def test_a_message_that_comes_late_is_not_the_last_word(self):
        channel = self.receive(self.message(content="New"))
        late = self.message(content="Old", timestamp=str(self.now - 3600))
        self.receive(late)
        self.assertEqual(channel.whatsapp_conversation_ids.last_text, "New")
        self.assertEqual(len(self.texts(channel)), 2)

    def test_the_salesperson_gets_one_notice_from_the_mail_queue(self):
        self.sofia.notification_type = "email"
        channel = self.receive(self.message(content="Hi"))
        notices = [("model", "=", "crm.lead"), ("res_id", "=", channel.lead_id.id)]
        self.assertFalse(self.env["mail.mail"].search(notices), "nobody waits for it")
        for _time in range(2):
            self.env["whatsapp.assignment"]._cron_hand_out()
        mails = self.env["mail.mail"].search(notices)
        self.assertEqual(len(mails), 1)
        self.assertEqual(mails.state, "outgoing", "no customer waits for its sending")
        self.assertEqual(mails.recipient_ids, self.sofia.partner_id)

    def test_a_lead_with_its_salesperson_says_so(self):
        lead = self.env["crm.lead"].create(
            {"name": "Old", "phone": "+525512345678", "user_id": self.tomas.id}
        )
        self.receive(self.message(content="Hi"))
        given = self.env["whatsapp.assignment"].search([("lead_id", "=", lead.id)])
        self.assertEqual(given.user_id, self.tomas)
        self.assertFalse(given.employee_id, "no turn was taken")
        self.assertEqual(lead.activity_ids.user_id, self.tomas)
        self.assertEqual(len(self.env["whatsapp.assignment"].search([])), 1)

    def test_the_log_has_neither_words_nor_numbers(self):
        with self.assertLogs(level="INFO") as log:
            self.receive(self.message(content="my secret wish"))
            self.receive(self.message("image", {"id": "m", "caption": "my secret"}))
            broken = self.message(content="my secret wish")
            self.post(self.delivery(broken))
            with patch.object(
                type(self.env["whatsapp.conversation"]),
                "_update_last_message",
                side_effect=ValueError("my secret wish of 5215512345678"),
            ):
                self.drain()
        said = "\n".join(log.output)
        self.assertIn("ValueError", said)
        for private in ("my secret", "5512345678", ANA["bsuid"], "EAAtoken"):
            self.assertNotIn(private, said)
        self.assertIn("my secret wish", self.events(state="pending").mapped("error")[0])

    def test_a_contact_card_can_be_saved(self):
        card = {
            "name": {"formatted_name": "Eva Gil"},
            "org": {"company": "Sol SL", "title": "Buyer"},
            "phones": [{"phone": "+34 612 345 678"}, {"phone": "+34 913 456 789"}],
            "emails": [{"email": "eva@example.com"}],
            "urls": [{"url": "javascript:alert(1)"}],
        }
        other = {"name": {"formatted_name": "Luis"}, "phones": [{"phone": "?"}]}
        channel = self.receive(self.message("contacts", [card, {}, other]))
        message = channel.message_ids.filtered("whatsapp_cards")
        action = message.with_user(self.sofia).action_whatsapp_save_contact()
        self.assertEqual(
            (action["res_model"], action["target"]), ("res.partner", "new")
        )
        self.assertEqual(
            action["context"],
            {
                "default_name": "Eva Gil",
                "default_company_name": "Sol SL",
                "default_function": "Buyer",
                "default_phone": "+34 612 34 56 78",
                "default_comment": "+34 913 45 67 89",
                "default_email": "eva@example.com",
                "default_country_id": self.env.ref("base.es").id,
            },
        )
        known = self.env["res.partner"].create(
            {"name": "E. Gil", "phone": "612345678", "country_id": self.ref("base.es")}
        )
        action = message.action_whatsapp_save_contact()
        self.assertEqual(action["context"]["default_name"], "Luis", "the next one")
        message.whatsapp_cards = message.whatsapp_cards[:1]
        action = message.action_whatsapp_save_contact()
        self.assertEqual(action["domain"], [("id", "in", known.ids)])

    def test_notices_of_meta_stand_on_the_numbers(self):
        def report(field, value):
            change = {"field": field, "value": value}
            entry = {"id": "20001", "time": 1790000000, "changes": [change]}
            body = {"object": "whatsapp_business_account", "entry": [entry]}
            self.assertEqual(self.post(body).status_code, 200)
            self.drain()

        def told():
            return self.env["mail.message"].search_count(
                [
                    ("partner_ids", "in", self.tomas.partner_id.ids),
                    ("subject", "like", "WhatsApp"),
                ]
            )

        self.gateway.whatsapp_alert_user_ids = self.tomas
        second = self.gateway.copy(
            {
                "token": "x",
                "webhook_key": "y",
                "webhook_secret": SECRET,
                "whatsapp_from_phone": "10002",
            }
        )
        second.whatsapp_account_id = self.gateway.whatsapp_account_id
        stranger = second.copy(
            {"token": "z", "webhook_key": "z", "whatsapp_from_phone": "10003"}
        )
        stranger.webhook_secret = "of another app"
        report(
            "phone_number_quality_update",
            {"event": "ONBOARDING", "max_daily_conversations_per_business": "TIER_2K"},
        )
        for number in self.gateway + second:
            self.assertEqual(number.whatsapp_limit, "TIER_2K")
            self.assertIn("ONBOARDING", number.whatsapp_notice)
        self.assertFalse(stranger.whatsapp_limit)
        self.assertEqual(told(), 0)
        info = [{"restriction_type": "RESTRICTED_X", "expiration": 1790086400}]
        report(
            "account_update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": info}
        )
        said = self.gateway.whatsapp_notice
        self.assertTrue(said.startswith("account_update: ACCOUNT_RESTRICTION, "))
        self.assertIn("restriction_type: RESTRICTED_X", said)
        self.assertIn("expiration: 2026-09-22 14:13 UTC", said)
        self.assertEqual(
            self.gateway.whatsapp_notice_at, datetime(2026, 9, 21, 14, 13, 20)
        )
        self.assertEqual(told(), 1, "once, however many numbers there are")
