# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Who wrote what: customers whose words cannot be read, Meta's agent, groups, us."""

from odoo.exceptions import UserError

from .common import ANA, WhatsappCase

OURS = "5215500000001"  # the number of the gateway
GROUP_ID = "120363025246125486"


class KindsCase(WhatsappCase):
    def change(self, field, value):
        """Deliver a change, and work on it."""
        metadata = {"display_phone_number": OURS, "phone_number_id": "10001"}
        value = {"messaging_product": "whatsapp", "metadata": metadata, **value}
        change = {"field": field, "value": value}
        entry = {"id": "20001", "time": self.now, "changes": [change]}
        body = {"object": "whatsapp_business_account", "entry": [entry]}
        self.assertEqual(self.post(body).status_code, 200)
        self.drain()

    def conversation(self):
        return self.env["discuss.channel"].search(
            [("gateway_id", "=", self.gateway.id)]
        )

    def shown(self, wamid):
        return self.env["mail.message"].search([("whatsapp_message_id", "=", wamid)])


class TestUnreadable(KindsCase):
    """Who writes what cannot be read here is a customer who wrote."""

    def check_customer(self, channel, words):
        lead = channel.lead_id
        self.assertEqual(len(lead), 1)
        self.assertEqual(lead.user_id, channel.whatsapp_user_id)
        self.assertTrue(lead.user_id, "somebody's turn")
        self.assertEqual(len(lead.activity_ids), 1)
        self.assertTrue(channel.whatsapp_window_open)
        self.assertEqual(channel.whatsapp_conversation_ids.state, "open")
        self.assertTrue(channel.whatsapp_conversation_ids.waiting_since)
        self.assertIn(words, self.texts(channel)[0])

    def test_a_stranger_who_writes_what_cannot_be_read_is_a_lead(self):
        unavailable = [{"code": 131060, "title": "This message is unavailable"}]
        for number, (kind, content, more) in enumerate(
            (
                ("unsupported", {"type": "unknown"}, {"errors": unavailable}),
                ("unsupported", {"type": "poll_creation"}, {}),
                ("unknown", None, {"errors": [{"code": 131051}]}),
                ("event", {"name": "Visita"}, {}),
                ("poll", {"name": "?"}, {}),
                ("ptv", None, {}),
                ("live_location", {"latitude": 1}, {}),
                ("payment", {"status": "new"}, {}),
                ("edit", {"original_message_id": "wamid.never"}, {}),
                ("edit", {"message": {"type": "text", "text": {"body": "7"}}}, {}),
            )
        ):
            with self.subTest(kind=kind, content=content):
                person = {"from": f"521551234{number:04}", "name": "Ana"}
                message = self.message(kind, content, person=person, **more)
                channel = self.receive(message, person=person)
                self.check_customer(channel, "customer")
                rows = self.answer(channel, "How can I help you?")
                self.assertEqual(rows.mapped("state"), ["queued"])

    def test_a_message_without_a_type_is_a_lead(self):
        message = self.message(content="x")
        del message["type"], message["text"]
        self.check_customer(self.receive(message), "customer sent something")

    def test_the_ad_by_which_somebody_came_counts_all_the_same(self):
        referral = {
            "source_id": "4711",
            "source_type": "ad",
            "source_url": "https://fb.me/x",
            "headline": "Solar panels",
        }
        message = self.message("unsupported", {"type": "gif"}, referral=referral)
        lead = self.receive(message).lead_id
        self.assertEqual(lead.source_id.name, "Facebook")
        self.assertEqual(lead.campaign_id.name, "Solar panels")

    def test_a_customer_who_is_known_has_the_turn_again(self):
        channel = self.receive(self.message(content="Hi"))
        self.answer(channel, "Yes?")
        self.assertEqual(channel.whatsapp_conversation_ids.state, "answered")
        self.receive(self.message("unsupported", {"type": "poll_creation"}))
        self.assertEqual(channel.whatsapp_conversation_ids.state, "open")
        self.assertEqual(len(self.leads()), 1)

    def test_who_says_nothing_makes_no_lead(self):
        for kind, content in (
            ("reaction", {"emoji": "👍", "message_id": "wamid.unknown"}),
            ("revoke", {"original_message_id": "wamid.unknown"}),
            ("unsupported", {"type": "reaction"}),
            ("system", {"type": "user_changed_number", "wa_id": "5215587654321"}),
        ):
            with self.subTest(kind=kind):
                channel = self.receive(self.message(kind, content))
                self.assertFalse(self.leads())
                self.assertFalse(channel.whatsapp_window_open)

    def test_an_edit_of_a_message_that_is_shown_opens_nothing(self):
        channel = self.receive(self.message(content="two", id="wamid.original"))
        channel.lead_id.action_set_lost()
        before = channel.whatsapp_last_customer_date
        self.now += 60
        edit = {
            "original_message_id": "wamid.original",
            "message": {"type": "text", "text": {"body": "three"}},
        }
        self.receive(self.message("edit", edit))
        self.assertEqual(len(self.leads().with_context(active_test=False)), 0)
        self.assertEqual(channel.whatsapp_last_customer_date, before)
        self.assertIn("three", self.texts(channel)[-1])


class TestOptOutWord(KindsCase):
    def test_only_a_message_that_is_the_word_stops_marketing(self):
        self.gateway.whatsapp_stop_words = "BAJA, STOP"
        channel = self.receive(self.message(content="Hi"))
        picture = {"id": "9", "mime_type": "image/png", "caption": "BAJA"}
        reply = {"id": "1", "title": "Baja", "description": "Of the price"}
        for kind, content, stops in (
            ("text", "Vivo en la BAJA California", False),
            ("text", "baja el precio", False),
            ("image", picture, False),
            ("unsupported", {"type": "BAJA"}, False),
            ("text", " _¡Bájà!_ ", True),
            ("button", {"text": "STOP", "payload": "x"}, True),
            ("interactive", {"type": "list_reply", "list_reply": reply}, True),
        ):
            with self.subTest(content=content):
                channel.whatsapp_opt_out = False
                self.receive(self.message(kind, content))
                self.assertEqual(channel.whatsapp_opt_out, stops)


class TestStandby(KindsCase):
    """What is said while Meta's own agent handles the conversation."""

    def said(self, body, wamid="wamid.agent", **more):
        """What the agent says, as it was seen to come."""
        message = {"to": ANA["from"], "type": "text", "text": {"body": body}, **more}
        return {
            "standby": {
                "message_echoes": [
                    {"id": wamid, "timestamp": str(self.now + 5), "message": message}
                ]
            }
        }

    def heard(self, **more):
        contact = {"wa_id": ANA["from"], "profile": {"name": ANA["name"]}}
        return {
            "standby": {
                "contacts": [contact],
                "messages": [self.message(content="Any tables?", **more)],
            }
        }

    def test_the_customer_is_a_lead_like_any_other(self):
        self.change("standby", self.heard())
        channel = self.conversation()
        self.assertEqual(channel.lead_id, self.leads())
        self.assertEqual(channel.lead_id.user_id, self.sofia)
        self.assertEqual(len(channel.lead_id.activity_ids), 1)
        self.assertEqual(self.texts(channel), ["Any tables?"])
        self.assertTrue(channel.whatsapp_window_open)

    def test_what_comes_in_both_fields_is_shown_once(self):
        self.change("standby", self.heard(id="wamid.twice"))
        self.receive(self.message(content="Any tables?", id="wamid.twice"))
        self.assertEqual(len(self.shown("wamid.twice")), 1)

    def test_no_greeting_takes_the_conversation_from_the_agent(self):
        self.gateway.whatsapp_welcome_enabled = True
        self.gateway.whatsapp_welcome_text = "Welcome"
        self.change("standby", self.heard())
        self.send_due()
        self.assertEqual(self.texts(self.conversation()), ["Any tables?"])
        self.assertEqual(self.meta.sent, [])

    def test_the_agent_speaks_for_itself_and_answers_for_nobody(self):
        self.change("standby", self.heard())
        channel = self.conversation()
        waits = channel.whatsapp_conversation_ids.waiting_since
        self.change("standby", self.said("Of wood and of glass"))
        message = self.shown("wamid.agent")
        self.assertEqual(message.author_id.name, "Meta Business Agent")
        self.assertFalse(message.author_id.active)
        self.assertFalse(message.author_guest_id or message.whatsapp_by_phone)
        self.assertEqual(self.texts(channel)[-1], "Of wood and of glass")
        self.assertEqual(channel.whatsapp_conversation_ids.state, "open")
        self.assertEqual(channel.whatsapp_conversation_ids.waiting_since, waits)
        self.assertFalse(self.env["whatsapp.answer"].search([]))
        self.assertEqual(self.meta.calls, [], "it is not sent once more")
        rows = self.env["whatsapp.report"].search([("channel_id", "=", channel.id)])
        kinds = {(row.kind, row.received, row.sent) for row in rows}
        self.assertLessEqual({("in", 1, 0), ("auto", 0, 1)}, kinds)
        self.assertNotIn("phone", rows.mapped("kind"))

    def test_the_agent_alone_makes_no_lead(self):
        self.change("standby", self.said("Hi there"))
        channel = self.conversation()
        self.assertEqual(self.texts(channel), ["Hi there"])
        self.assertFalse(channel.lead_id)
        self.assertFalse(channel.whatsapp_window_open)

    def test_the_agent_speaks_from_our_own_number(self):
        own = self.message(content="Hi there", id="wamid.own", to=ANA["from"])
        self.change("standby", {"messages": [{**own, "from": OURS}]})
        self.assertEqual(self.shown("wamid.own").author_id.name, "Meta Business Agent")
        self.assertFalse(self.leads())
        channel = self.conversation()
        self.assertEqual(channel.gateway_channel_token, ANA["from"])

    def test_receipts_of_the_agent_s_messages_are_done_with(self):
        self.change("standby", self.said("Hi there"))
        status = {"id": "wamid.agent", "timestamp": str(self.now), "status": "read"}
        self.change("standby", {"standby": {"statuses": [status]}})
        self.assertEqual(self.events(kind="status").state, "done")
        self.change("standby", {"statuses": [{**status, "id": "wamid.never"}]})
        self.assertEqual(self.events(kind="status")[0].state, "pending")

    def test_what_the_agent_changes_is_told_as_the_agent_s(self):
        self.change("standby", self.said("600"))
        edit = {
            "original_message_id": "wamid.agent",
            "message": {"type": "text", "text": {"body": "650"}},
        }
        self.change("standby", self.said("", "wamid.e", type="edit", edit=edit))
        text = self.texts(self.conversation())[-1]
        self.assertEqual(text, "✏️ Edited by Meta's agent. New text:\n650")

    def handover(self, kind, sender=None, **details):
        self.change(
            "messaging_handovers",
            {
                "metadata": None,
                "recipient": {"display_phone_number": OURS, "phone_number_id": "10001"},
                "sender": {"phone_number": ANA["from"]} if sender is None else sender,
                "type": kind,
                kind: details,
            },
        )

    def notes(self):
        notes = self.conversation().message_ids.filtered(
            lambda message: message.message_type == "notification"
        )
        return " ".join(notes.mapped("body"))

    def test_a_change_of_hands_is_noted(self):
        self.receive(self.message(content="Hi"))
        sent = len(self.meta.calls)
        self.handover(
            "control_passed",
            previous_owner_app_role="meta_business_agent",
            conversation_context={"summary": {"text": "Wants <b>two</b> tables"}},
        )
        self.assertIn("gave this conversation to us", self.notes())
        self.assertIn("Wants &lt;b&gt;two&lt;/b&gt; tables", self.notes())
        self.assertNotIn("agent answers", self.notes())
        self.handover("control_taken", new_owner_role="ai_agent")
        self.assertIn("agent answers", self.notes())
        self.handover("control_requested")
        self.assertIn("who answers in this conversation", self.notes())
        self.assertEqual(len(self.leads()), 1)
        self.assertEqual(len(self.meta.calls), sent, "the customer is told nothing")
        events = self.events(type="messaging_handovers")
        self.assertEqual(set(events.mapped("state")), {"done"})
        self.assertEqual(events.gateway_id, self.gateway)

    def test_a_change_of_hands_of_nobody_does_no_harm(self):
        for sender in ({}, {"phone_number": "34612345678"}, [], "x", {"user_id": 7}):
            self.handover("control_passed", sender=sender)
        self.change("messaging_handovers", {"type": ["odd"], "sender": None})
        events = self.events(type="messaging_handovers")
        self.assertEqual(set(events.mapped("state")), {"done"})
        self.assertFalse(self.conversation())


class TestGroups(KindsCase):
    """A group is no person: a conversation of its own, and nobody's lead."""

    def set_scene(self):
        super().set_scene()
        self.gateway.member_ids = self.tomas

    def receive_group(self, body="When?", person=ANA, **more):
        message = self.message(content=body, person=person, group_id=GROUP_ID, **more)
        self.receive(message, person=person)
        return self.env["discuss.channel"].search(
            [("gateway_channel_token", "=", f"group:{GROUP_ID}")]
        )

    def test_a_message_in_a_group_is_a_group_s(self):
        channel = self.receive_group(group={"subject": "Family"})
        eva = {"from": "34612345678", "name": "Eva"}
        self.receive_group("At noon", person=eva, group={"subject": "Family"})
        self.assertEqual(self.conversation(), channel, "and no private one")
        self.assertEqual(channel.name, "Group Family")
        self.assertEqual(self.texts(channel), ["When?", "At noon"])
        authors = channel.message_ids.sorted("id").author_guest_id
        self.assertEqual(authors.mapped("name"), ["Ana Pérez", "Eva"])
        self.assertFalse(self.leads())
        self.assertFalse(channel.lead_id)
        self.assertFalse(channel.whatsapp_conversation_ids.waiting_since)
        self.assertFalse(channel.whatsapp_window_open)
        self.assertFalse(self.env["whatsapp.assignment"].search([]))
        self.assertIn(self.tomas.partner_id, channel.channel_member_ids.partner_id)
        self.assertEqual(channel.whatsapp_conversation_ids.last_text, "At noon")
        chats = self.env["whatsapp.conversation"].search([("state", "!=", 0)])
        self.assertIn(channel, chats.channel_id)

    def test_a_contact_who_writes_in_a_group_is_its_author(self):
        eva = self.env["res.partner"].create({"name": "Eva", "phone": "+34612345678"})
        self.receive_group(person={"from": "34612345678", "name": "?"})
        self.assertEqual(self.conversation().message_ids.author_id, eva)

    def test_nobody_can_write_in_a_group(self):
        channel = self.receive_group()
        self.assertIn("group", channel._whatsapp_why_off())
        with self.assertRaisesRegex(UserError, "group"):
            self.answer(channel, user=self.tomas)
        with self.assertRaisesRegex(UserError, "group"):
            channel.with_user(self.tomas).action_create_lead()
        panel = channel.with_user(self.tomas).whatsapp_panel()
        self.assertFalse(panel["can_make_lead"])
        self.assertEqual(panel["no_lead_reason"], "A group is no customer.")
        self.assertEqual(self.meta.calls, [])

    def test_in_private_the_same_person_is_a_customer(self):
        self.receive_group()
        channel = self.receive(self.message(content="Hi"))
        self.assertEqual(self.texts(channel), ["Hi"])
        self.assertEqual(channel.lead_id, self.leads())

    def test_a_reaction_in_a_group_stays_there(self):
        channel = self.receive_group(id="wamid.group")
        reaction = {"emoji": "👍", "message_id": "wamid.group"}
        self.receive(self.message("reaction", reaction, group_id=GROUP_ID))
        self.assertEqual(channel.message_ids.reaction_ids.content, "👍")

    def test_what_we_write_in_a_group_is_ours(self):
        echo = self.message(content="Soon", id="wamid.ours", group_id=GROUP_ID)
        echo = {**echo, "from": OURS}
        del echo["from_user_id"]
        self.change("smb_message_echoes", {"message_echoes": [echo]})
        self.assertEqual(self.conversation().gateway_channel_token, f"group:{GROUP_ID}")
        self.assertTrue(self.shown("wamid.ours").whatsapp_by_phone)

    def test_a_member_without_a_name_or_number_is_shown(self):
        message = self.message(content="Hi", group_id=GROUP_ID, id="wamid.nobody")
        del message["from"], message["from_user_id"]
        self.change("messages", {"messages": [message]})
        self.assertEqual(self.events(kind="message").state, "done")
        self.assertEqual(self.texts(self.conversation()), ["Hi"])


class TestOurPhone(KindsCase):
    """What is changed on the company's own phone is told as ours."""

    def echo(self, kind, content, wamid, **more):
        echo = {
            "from": OURS,
            "to": ANA["from"],
            "id": wamid,
            "timestamp": str(self.now),
            "type": kind,
            kind: content,
            **more,
        }
        self.change("smb_message_echoes", {"message_echoes": [echo]})
        return self.shown(wamid)

    def test_what_is_changed_on_our_phone_is_told_as_ours(self):
        first = self.echo("text", {"body": "price 600"}, "wamid.E")
        new = {"type": "text", "text": {"body": "price 650"}}
        for number, (kind, content, words) in enumerate(
            (
                (
                    "edit",
                    {"original_message_id": "wamid.E", "message": new},
                    "✏️ Edited on the company's phone. New text:\nprice 650",
                ),
                (
                    "revoke",
                    {"original_message_id": "wamid.E"},
                    "🗑️ Deleted on the company's phone",
                ),
                (
                    "unsupported",
                    {"type": "poll_creation"},
                    "⚠️ Sent on the company's phone, and not passed on here by WhatsApp"
                    " (poll_creation). You can see it on the phone.",
                ),
            )
        ):
            message = self.echo(kind, content, f"wamid.{number}")
            self.assertEqual(self.texts(self.conversation())[-1], words)
            self.assertEqual(message.author_id, first.author_id)
            self.assertTrue(message.whatsapp_by_phone)
            if kind != "unsupported":
                self.assertEqual(message.parent_id, first)
        self.assertFalse(self.leads())
        self.assertFalse(self.conversation().whatsapp_window_open)

    def test_a_deletion_or_an_edit_on_our_phone_is_no_answer(self):
        self.echo("text", {"body": "600"}, "wamid.E")
        self.now += 60
        channel = self.receive(self.message(content="How much?"))
        new = {"type": "text", "text": {"body": "650"}}
        edit = {"original_message_id": "wamid.E", "message": new}
        self.now += 60
        self.echo("edit", edit, "wamid.F")
        self.echo("revoke", {"original_message_id": "wamid.E"}, "wamid.G")
        self.echo("reaction", {"emoji": "👍", "message_id": "w"}, "wamid.H")
        self.assertTrue(channel.whatsapp_conversation_ids.waiting_since)
        self.assertEqual(channel.whatsapp_conversation_ids.state, "open")
        self.echo("text", {"body": "650, all in all"}, "wamid.I")
        self.assertFalse(channel.whatsapp_conversation_ids.waiting_since)


class TestDescription(KindsCase):
    """What the customer wrote first stands on the lead as it was written."""

    TEXT = "Hola\n\nquiero:\n- dos mesas\n- <b>una</b> silla"

    def check(self, lead):
        self.assertIn("Hola", lead.description)
        lines = str(lead.description).replace("<br>", "\n").replace("<br/>", "\n")
        self.assertIn("- dos mesas\n- &lt;b&gt;una&lt;/b&gt; silla", lines)

    def test_the_lines_of_the_first_message_stay_lines(self):
        self.check(self.receive(self.message(content=self.TEXT)).lead_id)

    def test_so_do_they_when_a_person_makes_the_lead(self):
        tag = self.env["res.partner.category"].create({"name": "Supplier"})
        self.env["res.partner"].create(
            {"name": "Ana", "phone": "+525512345678", "category_id": tag.ids}
        )
        self.gateway.whatsapp_excluded_tag_ids = tag
        channel = self.receive(self.message(content=self.TEXT))
        self.assertFalse(channel.lead_id)
        channel.with_user(self.sofia).action_create_lead()
        self.check(channel.lead_id)
