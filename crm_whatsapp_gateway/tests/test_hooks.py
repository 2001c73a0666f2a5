# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from odoo.addons.mail_gateway_whatsapp_queue.hooks import (
    INDEXES,
    _restore_unique,
)
from odoo.addons.mail_gateway_whatsapp_queue.hooks import (
    post_init_hook as base_post_init_hook,
)
from odoo.addons.mail_gateway_whatsapp_queue.merging import (
    merge_duplicate_conversations,
)

from ..hooks import (
    _adopt,
    _link_as_before,
    _link_by_number,
    _remember_leads,
    _shipped_utm,
    post_init_hook,
)
from .common import ConversationCase, WhatsappCase


class TestHooks(WhatsappCase):
    def test_duplicated_conversations_become_one_and_lose_no_message(self):
        self.env.cr.execute("DROP INDEX discuss_channel_whatsapp_person_uniq")
        channels = self.env["discuss.channel"].create(
            [
                {
                    "name": f"Ana {number}",
                    "channel_type": "gateway",
                    "gateway_id": self.gateway.id,
                    "gateway_channel_token": "5215512345678",
                }
                for number in range(3)
            ]
        )
        for channel in channels:
            channel.with_context(no_gateway_notification=True).message_post(
                body=channel.name, message_type="comment"
            )
        self.env.flush_all()
        merge_duplicate_conversations(self.env.cr)
        self.env.invalidate_all()
        survivor = channels.exists()
        self.assertEqual(survivor, channels[0])
        self.assertEqual(self.texts(survivor), ["Ana 0", "Ana 1", "Ana 2"])
        channels.init()  # the index can be made now

    def test_conversations_of_before_can_be_found_and_answered(self):
        channel = self.receive(self.message(content="Hi"))
        self.answer(channel, "Hello")
        when = channel.whatsapp_last_customer_date
        names = ("whatsapp_phone", "whatsapp_last_customer_date")
        channel.write(dict.fromkeys(names))
        channel.whatsapp_conversation_ids.last_date = False
        self.env.flush_all()
        base_post_init_hook(self.env)
        post_init_hook(self.env)
        self.assertEqual(channel.whatsapp_phone, "+525512345678")
        self.assertEqual(channel.whatsapp_last_customer_date, when)
        self.assertGreaterEqual(channel.whatsapp_conversation_ids.last_date, when)
        self.assertTrue(channel.whatsapp_window_open)

    def test_an_existing_source_is_adopted(self):
        source = self.env["utm.source"].create({"name": "whatsapp"})
        self.env.ref("crm_whatsapp_gateway.utm_source_whatsapp").unlink()
        self.env["utm.source"].search(
            [("name", "=ilike", "whatsapp"), ("id", "!=", source.id)]
        ).unlink()
        _adopt(self.env, "utm.source", "utm_source_whatsapp", "WhatsApp")
        self.assertEqual(
            self.env.ref("crm_whatsapp_gateway.utm_source_whatsapp"), source
        )

    def test_all_that_we_ship_of_utm_is_adopted_also_if_it_is_archived(self):
        self.assertIn(("utm.source", "utm_source_meta", "Meta"), _shipped_utm())
        for model, xmlid, name in _shipped_utm():
            with self.subTest(xmlid=xmlid):
                record = self.env.ref(f"crm_whatsapp_gateway.{xmlid}")
                self.env["ir.model.data"].search(
                    [("module", "=", "crm_whatsapp_gateway"), ("name", "=", xmlid)]
                ).unlink()
                record.name = record.name.upper()
                if "active" in record:
                    record.active = False
                _adopt(self.env, model, xmlid, name)
                self.assertEqual(self.env.ref(f"crm_whatsapp_gateway.{xmlid}"), record)


class TestMerging(WhatsappCase):
    """Conversations of one person that OCA made twice."""

    def set_scene(self):
        super().set_scene()
        self.env.cr.execute("DROP INDEX discuss_channel_whatsapp_person_uniq")
        self.customer = self.env["mail.guest"].create(
            {"name": "Ana", "gateway_id": self.gateway.id}
        )

    def channel(self, token, users=None, gateway=None, **values):
        return self.env["discuss.channel"].create(
            {
                "name": token,
                "channel_type": "gateway",
                "gateway_id": (gateway or self.gateway).id,
                "gateway_channel_token": token,
                "channel_member_ids": [
                    (0, 0, {"partner_id": user.partner_id.id}) for user in users or []
                ]
                + [(0, 0, {"partner_id": False, "guest_id": self.customer.id})],
                **values,
            }
        )

    def member(self, channel):
        return channel.channel_member_ids.filtered(
            lambda member: member.partner_id == self.sofia.partner_id
        )

    def say(self, channel, body):
        return channel.with_context(no_gateway_notification=True).message_post(
            body=body, message_type="comment"
        )

    def merge(self):
        self.env.flush_all()
        merged = merge_duplicate_conversations(self.env.cr)
        self.env.invalidate_all()
        return merged

    def test_every_spelling_of_a_number_is_one_person(self):
        for spellings in (
            ("+34612345678", "34612345678"),
            ("525512345678", "5215512345678", "+525512345678"),
            ("553188888888", "5531988888888"),
            ("5491122334455", "541122334455"),
        ):
            with self.subTest(spellings=spellings):
                channels = self.env["discuss.channel"]
                for token in spellings:
                    channels |= self.channel(token)
                self.assertEqual(self.merge(), len(spellings) - 1)
                self.assertEqual(channels.exists(), channels[0])

    def test_the_token_is_that_of_the_customer_s_last_message(self):
        first = self.channel("+525512345678")
        second, third = self.channel("525512345678"), self.channel("5215512345678")
        for channel in (first, third, second, third):
            self.say(channel, "Hi")
        self.merge()
        self.assertEqual(first.gateway_channel_token, "5215512345678")

    def test_other_numbers_and_other_gateways_stay_apart(self):
        other = self.gateway.copy(
            {"token": "o", "webhook_key": "o", "whatsapp_from_phone": "10009"}
        )
        channels = self.channel("34612345678")
        channels |= self.channel("34612345679")
        channels |= self.channel("34612345678", gateway=other)
        channels |= self.channel("MX.1349120865530274")
        self.assertEqual(self.merge(), 0)
        self.assertEqual(channels.exists(), channels)

    def test_members_files_activities_and_followers_come_along(self):
        crowd = self.env["res.partner"].create(
            [{"name": f"Partner {number}"} for number in range(200)]
        )
        one, two = self.channel("34612345678", self.sofia), self.channel("+34612345678")
        two.write(
            {"channel_member_ids": [(0, 0, {"partner_id": each.id}) for each in crowd]}
        )
        message = self.say(two, "With a file")
        notification = self.env["mail.notification"].create(
            {
                "mail_message_id": message.id,
                "gateway_channel_id": two.id,
                "notification_type": "gateway",
                "gateway_type": "whatsapp",
            }
        )
        file = self.env["ir.attachment"].create(
            {"name": "x.txt", "raw": b"x", "res_model": two._name, "res_id": two.id}
        )
        for channel, user in ((one, self.tomas), (two, self.tomas), (two, self.sofia)):
            self.env["mail.followers"].create(
                {
                    "res_model": channel._name,
                    "res_id": channel.id,
                    "partner_id": user.partner_id.id,
                }
            )
        # as other addons make it: Odoo itself lets nobody follow a channel
        self.env.cr.execute(
            """
            INSERT INTO mail_activity
                        (res_model_id, res_model, res_id, activity_type_id, user_id,
                         date_deadline, active)
            VALUES (%s, %s, %s, %s, %s, %s, true) RETURNING id
            """,
            (
                self.env["ir.model"]._get_id(two._name),
                two._name,
                two.id,
                self.env.ref("mail.mail_activity_data_todo").id,
                self.env.uid,
                fields.Date.context_today(two),
            ),
        )
        activity = self.env["mail.activity"].browse(self.env.cr.fetchone())
        members = set((one | two).channel_member_ids.mapped("partner_id.id"))
        self.assertEqual(self.merge(), 1)
        self.assertEqual(set(one.channel_member_ids.partner_id.ids), members)
        persons = one.channel_member_ids.mapped(
            lambda one: (one.partner_id, one.guest_id)
        )
        self.assertEqual(len(persons), len(set(persons)))
        self.assertIn(self.customer, one.channel_member_ids.guest_id)
        self.assertEqual((message.res_id, file.res_id), (one.id, one.id))
        self.assertEqual(notification.gateway_channel_id, one)
        self.assertEqual(activity.res_id, one.id)
        followers = self.env["mail.followers"].search(
            [("res_model", "=", one._name), ("res_id", "=", one.id)]
        )
        for user in self.users:
            self.assertIn(user.partner_id, followers.partner_id)
        self.assertEqual(len(followers), len(followers.partner_id))
        self.assertFalse(
            self.env["mail.followers"].search_count(
                [("res_model", "=", one._name), ("res_id", "=", two.id)]
            )
        )

    def test_who_was_in_several_has_read_as_far_as_in_any(self):
        channels = self.env["discuss.channel"]
        for token in ("34612345678", "+34612345678"):
            channels |= self.channel(token, self.sofia)
        messages = [self.say(channel, "Hi") for channel in channels]
        long_ago = fields.Datetime.now() - timedelta(days=9)
        for channel, message, unpinned in zip(
            channels, messages, (fields.Datetime.now(), False), strict=True
        ):
            member = self.member(channel)
            member.write(
                {
                    "seen_message_id": message.id,
                    "new_message_separator": message.id + 1,
                    "last_interest_dt": long_ago,
                    "unpin_dt": unpinned,
                }
            )
        self.merge()
        member = self.member(channels.exists())
        self.assertEqual(len(member), 1)
        self.assertEqual(member.seen_message_id, messages[1])
        self.assertEqual(member.new_message_separator, messages[1].id + 1)
        self.assertTrue(member.is_pinned)

    def test_what_is_merged_is_not_merged_again(self):
        self.channel("34612345678", self.sofia)
        self.channel("+34612345678", self.tomas)
        self.assertEqual([self.merge(), self.merge()], [1, 0])


class TestLeadsOfBefore(ConversationCase):
    """Conversations that were there before the addon, and their leads."""

    def test_links_come_back_though_the_number_is_another_one_now(self):
        _remember_leads(self.env)
        _remember_leads(self.env)  # the uninstallation was repeated
        self.lead.phone = "+34 612 345 678"
        self.channel.lead_id = False
        note = self.lead.message_ids[0]
        self.assertIn("Its WhatsApp conversation", note.body)
        _link_as_before(self.env, self.channel)
        self.assertEqual(self.channel.lead_id, self.lead)
        self.assertFalse(note.exists())

    def test_links_of_merged_and_of_deleted_leads(self):
        _remember_leads(self.env)
        self.channel.lead_id = False
        other = self.env["crm.lead"].create({"name": "Ana, too"})
        (self.lead | other).with_context(active_test=False).merge_opportunity()
        self.env.invalidate_all()
        _link_as_before(self.env, self.channel)
        self.assertEqual(self.channel.lead_id, (self.lead | other).exists())
        _remember_leads(self.env)
        self.channel.lead_id.unlink()
        _link_as_before(self.env, self.channel)
        self.assertFalse(self.channel.lead_id)

    def test_open_leads_are_linked_by_number_else_the_last_closed(self):
        self.channel.lead_id = False
        self.lead.action_set_lost()
        _link_by_number(self.env, self.channel)
        self.assertEqual(self.channel.lead_id, self.lead)
        self.channel.lead_id = False
        partner = self.env["res.partner"].create(
            {"name": "Ana", "phone": "+52 1 55 1234 5678"}
        )
        by_hand = self.env["crm.lead"].create(
            {"name": "By hand", "partner_id": partner.id}
        )
        self.env.flush_all()
        _link_by_number(self.env, self.channel)
        self.assertEqual(self.channel.lead_id, by_hand)

    def test_chosen_conversations_get_leads_and_salespeople(self):
        person = {"from": "5215511112222", "name": "Luis"}
        other = self.receive(self.message(content="Hi", person=person), person=person)
        other.lead_id.unlink()
        self.employees[0].mobile_phone = "+52 55 3333 4444"
        person = {"from": "5215533334444", "name": "Sofía herself"}
        mine = self.receive(self.message(content="Me", person=person), person=person)
        manager = new_test_user(
            self.env, "leads-manager", groups="sales_team.group_sale_manager"
        )
        channels = self.channel | other | mine
        chats = channels.whatsapp_conversation_ids.with_user(manager)
        told = chats.action_create_leads()["params"]["message"]
        self.assertTrue(other.lead_id.user_id)
        self.assertEqual(self.channel.lead_id, self.lead)
        self.assertFalse(mine.lead_id)
        self.assertIn("1 conversations have a lead now, 1 had one", told)
        self.assertIn(mine.name, told)
        plain = new_test_user(self.env, "leads-plain", groups="base.group_user")
        with self.assertRaises(AccessError):
            chat = other.whatsapp_conversation_ids.with_user(plain)
            chat.action_create_leads()


class TestSchemaOfOca(WhatsappCase):
    def constraint(self):
        self.env.cr.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s",
            ("mail_gateway_mail_gateway_token",),
        )
        return [row for (row,) in self.env.cr.fetchall()]

    def test_the_indexes_that_go_are_there(self):
        """A name that was misspelt would leave its index for ever."""
        self.env.cr.execute(
            "SELECT indexname FROM pg_indexes WHERE indexname = ANY(%s)",
            (list(INDEXES),),
        )
        found = {name for (name,) in self.env.cr.fetchall()}
        self.assertEqual(found, set(INDEXES))

    def test_oca_s_constraint_comes_back(self):
        _restore_unique(self.env.cr, "mail_gateway_mail_gateway_token", "token")
        self.assertEqual(self.constraint(), ["UNIQUE (token)"])

    def test_numbers_that_share_a_token_are_left_as_they_are(self):
        self.gateway.copy(
            {
                "token": self.gateway.token,
                "webhook_key": "other",
                "whatsapp_from_phone": "10002",
            }
        )
        self.env.flush_all()
        with self.assertLogs("odoo.addons.mail_gateway_whatsapp_queue.hooks") as log:
            _restore_unique(self.env.cr, "mail_gateway_mail_gateway_token", "token")
        self.assertEqual(self.constraint(), [])
        self.assertNotIn(self.gateway.token, str(log.output))


class TestShippedErrors(WhatsappCase):
    """Error texts: ours are renewed by an update, the customer's changes stay."""

    def set_scene(self):
        super().set_scene()
        self.env["res.lang"]._activate_lang("es_ES")
        self.entry = self.env.ref("mail_gateway_whatsapp_queue.error_busy")

    def update(self, **values):
        """Load the file's row as an update of the addon does."""
        records = self.env["whatsapp.error"].with_context(install_mode=True)
        records._load_records(
            [{"xml_id": "mail_gateway_whatsapp_queue.error_busy", "values": values}],
            True,
        )
        self.env.invalidate_all()

    def test_what_nobody_changed_is_renewed_in_every_language(self):
        self.entry.with_context(install_mode=True, lang="es_ES").advice = "Viejo"
        self.update(code="busy", advice="New", name="New name")
        self.assertEqual((self.entry.advice, self.entry.name), ("New", "New name"))
        # until the translations are loaded, which follows the data
        self.assertEqual(self.entry.with_context(lang="es_ES").advice, "New")

    def test_what_was_changed_here_stays(self):
        self.entry.advice = "Call Ana."
        self.entry.with_context(lang="es_ES").name = "Meta no responde"
        self.entry.update_field_translations("advice", {"es_ES": "Llame a Ana."})
        self.entry.kind = "throttled"
        self.update(code="busy", advice="New", name="New name", kind="transient")
        self.assertEqual(self.entry.advice, "Call Ana.")
        self.assertEqual(self.entry.name, "New name")
        self.assertEqual(self.entry.kind, "throttled")
        spanish = self.entry.with_context(lang="es_ES")
        self.assertEqual(
            (spanish.name, spanish.advice), ("Meta no responde", "Llame a Ana.")
        )
