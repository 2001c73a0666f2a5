# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo.tests import new_test_user

from odoo.addons.mail_gateway_whatsapp_queue.models.res_partner import mark_unconfirmed

from .common import ANA
from .test_leads import BOB, LeadCase

PHONE = "+52 55 1234 5678"  # Ana's


class IdentityCase(LeadCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal = new_test_user(cls.env, "paco", groups="base.group_portal")
        cls.public = cls.env.ref("base.public_user")
        cls.links = cls.env["res.partner.gateway.channel"]

    def typed_by(self, user, partner, **values):
        """Write a contact as portal and website do: by sudo, as their visitor."""
        partner.with_user(user).sudo().write(values or {"phone": PHONE})

    def contact(self, **values):
        return self.env["res.partner"].create(
            {"name": "Ana Known", "phone": PHONE, **values}
        )

    def authors(self, channel):
        said = channel.message_ids.filtered(lambda one: one.message_type == "comment")
        return said.author_id, said.author_guest_id

    def assert_stranger(self, channel, partner):
        """The messages are a guest's, and the contact has nothing to do with them."""
        author, guest = self.authors(channel)
        self.assertFalse(author)
        self.assertTrue(guest)
        self.assertNotIn(partner, channel.channel_member_ids.partner_id)
        self.assertNotIn(partner, channel.lead_id.partner_id)
        self.assertFalse(self.links.search([("partner_id", "=", partner.id)]))


class TestIdentity(IdentityCase):
    def test_a_portal_user_who_types_a_stranger_s_number_gets_nothing(self):
        partner = self.portal.partner_id
        self.typed_by(self.portal, partner)
        self.assertTrue(partner.whatsapp_unconfirmed)
        channel = self.say("my secret wish")
        self.assert_stranger(channel, partner)
        lead = channel.lead_id
        self.assertEqual((lead.contact_name, lead.phone), ("Ana Pérez", PHONE))
        self.assertIn("typed by a portal user", self.notes(lead))
        self.assertIn(partner.name, self.notes(lead))
        bodies = "".join(map(str, lead.message_ids.mapped("body")))
        self.assertIn(f'data-oe-id="{partner.id}"', bodies)
        as_portal = channel.with_user(self.portal)
        self.assertFalse(as_portal.has_access("read"))
        message = channel.message_ids.filtered("whatsapp_message_id")
        self.assertFalse(message.with_user(self.portal).has_access("read"))

    def test_a_portal_user_s_number_proves_nothing_whoever_typed_it(self):
        partner = self.portal.partner_id
        partner.with_user(self.sofia).sudo().phone = PHONE
        self.assertFalse(partner.whatsapp_unconfirmed)
        self.portal.active = False
        channel = self.say()
        self.assert_stranger(channel, partner)
        self.assertIn("is a portal user", self.notes(channel.lead_id))

    def test_a_number_typed_on_the_website_waits_for_a_person_of_ours(self):
        partner = (
            self.env["res.partner"]
            .with_user(self.public)
            .sudo()
            .create({"name": "Guest of the shop", "phone": PHONE})
        )
        self.assertTrue(partner.whatsapp_unconfirmed)
        channel = self.say()
        self.assert_stranger(channel, partner)
        partner.with_user(self.sofia).sudo().phone = "55 1234 5678"
        self.assertFalse(partner.whatsapp_unconfirmed)
        self.say("Again")
        self.assertIn(partner, self.authors(channel)[0])

    def test_another_country_makes_another_number(self):
        partner = self.contact(phone="55 1234 5678", country_id=self.ref("base.es"))
        self.typed_by(self.public, partner, country_id=self.ref("base.mx"))
        self.assertTrue(partner.whatsapp_unconfirmed)

    def test_what_a_form_repeats_changes_nothing(self):
        partner = self.contact()
        self.typed_by(self.public, partner, phone=PHONE, city="Puebla")
        self.assertFalse(partner.whatsapp_unconfirmed)
        self.typed_by(self.public, partner, phone="+34 612 34 56 78")
        self.assertTrue(partner.whatsapp_unconfirmed)
        user = self.sofia
        imports = partner.with_user(user).sudo().with_context(import_file=True)
        imports.write({"phone": "+34 612 34 56 78"})
        self.assertTrue(partner.whatsapp_unconfirmed, "a file that repeats it")

    def test_the_work_on_messages_confirms_nothing(self):
        partner = self.contact()
        self.typed_by(self.public, partner, phone="+34 612 34 56 78")
        partner.phone = PHONE  # OdooBot does
        self.assertTrue(partner.whatsapp_unconfirmed)

    def test_merged_contacts_stay_as_unconfirmed_as_they_were(self):
        known = self.contact(phone=False)
        typed = self.contact(name="Typed", phone=False)
        self.typed_by(self.public, typed)
        wizard = self.env["base.partner.merge.automatic.wizard"].with_user(
            self.env.ref("base.user_admin")
        )
        self.env.flush_all()
        wizard.create({})._merge((known + typed).ids, known)
        self.assertEqual(known.phone, PHONE)
        self.assertTrue(known.whatsapp_unconfirmed)

    def test_what_was_written_before_is_distrusted_once(self):
        typed, ours = self.contact(), self.contact(name="Ours")
        ours.with_user(self.sofia).sudo().city = "Puebla"
        linked = self.links.create(
            {
                "partner_id": typed.id,
                "gateway_id": self.gateway.id,
                "gateway_token": ANA["from"],
            }
        )
        typed.with_user(self.portal).sudo().city = "Puebla"
        self.env.flush_all()
        mark_unconfirmed(self.env.cr)
        self.env.invalidate_all()
        self.assertTrue(typed.whatsapp_unconfirmed)
        self.assertFalse(ours.whatsapp_unconfirmed)
        self.assertFalse(linked.exists(), "OCA linked it by its number alone")

    def test_an_outsider_cannot_switch_off_the_leads_of_a_stranger(self):
        tag = self.env["res.partner.category"].create({"name": "Suppliers"})
        self.gateway.whatsapp_excluded_tag_ids = tag
        self.portal.partner_id.category_id = tag
        self.typed_by(self.portal, self.portal.partner_id)
        blacklist = self.env["phone.blacklist"].with_user(self.portal).sudo()
        blacklist.add("+525512345678")
        channel = self.say()
        self.assertTrue(channel.lead_id)
        self.assertFalse(channel.whatsapp_no_lead_reason)

    def test_a_lead_that_only_such_a_contact_leads_to_is_not_found(self):
        lead = self.lead(partner_id=self.portal.partner_id.id, phone=False)
        self.typed_by(self.portal, self.portal.partner_id)
        self.assertEqual(lead.phone, PHONE, "Odoo copies it")
        channel = self.say()
        self.assertTrue(channel.lead_id)
        self.assertNotEqual(channel.lead_id, lead)
        self.assertNotIn(lead, channel.lead_id.whatsapp_duplicate_ids)

    def test_an_open_lead_with_the_number_is_found_whoever_typed_it(self):
        lead = (
            self.env["crm.lead"]
            .with_user(self.public)
            .sudo()
            .create({"name": "Form", "phone": PHONE, "company_id": self.company.id})
        )
        channel = self.say()
        self.assertEqual(channel.lead_id, lead)
        self.assertFalse(self.authors(channel)[0])
        self.assertFalse(channel.with_user(self.portal).has_access("read"))

    def test_the_contact_of_a_closed_lead_needs_the_same(self):
        lead = self.lead(partner_id=self.portal.partner_id.id, phone=PHONE)
        lead.action_set_won()
        second = self.say().lead_id
        self.assertNotEqual(second, lead)
        self.assertFalse(second.partner_id)

    def test_a_card_does_not_find_a_contact_by_such_a_number(self):
        card = {"name": {"formatted_name": "Ana"}, "phones": [{"phone": PHONE}]}
        channel = self.say(person=BOB)
        self.receive(self.message("contacts", [card], person=BOB), person=BOB)
        message = channel.message_ids.filtered("whatsapp_cards")
        partner = self.contact()
        action = message.with_user(self.sofia).action_whatsapp_save_contact()
        self.assertEqual(action["domain"], [("id", "in", partner.ids)])
        self.typed_by(self.public, partner, phone="+525512345678")
        action = message.with_user(self.sofia).action_whatsapp_save_contact()
        self.assertEqual(action["name"], "New contact")


class TestMembers(IdentityCase):
    def members(self, channel):
        return channel.channel_member_ids.partner_id

    def test_nobody_of_portal_or_website_becomes_a_member(self):
        channel = self.say()
        for user in (self.portal, self.public):
            channel.add_members(partner_ids=user.partner_id.ids)
            self.env["discuss.channel.member"].create(
                {"channel_id": channel.id, "partner_id": user.partner_id.id}
            )
            self.assertNotIn(user.partner_id, self.members(channel))
        self.portal.active = False
        channel.add_members(partner_ids=self.portal.partner_id.ids)
        self.assertNotIn(self.portal.partner_id, self.members(channel))
        channel.add_members(partner_ids=self.tomas.partner_id.ids)
        self.assertIn(self.tomas.partner_id, self.members(channel))

    def test_a_visitor_with_a_link_becomes_no_member(self):
        channel = self.say()
        guest = self.env["mail.guest"].create({"name": "Visitor"})
        channel.add_members(guest_ids=guest.ids)
        self.assertEqual(channel.channel_member_ids.guest_id.name, "Ana Pérez")

    def test_other_channels_take_whom_they_like(self):
        channel = self.env["discuss.channel"].create({"name": "Fans"})
        channel.add_members(partner_ids=self.portal.partner_id.ids)
        self.assertIn(self.portal.partner_id, self.members(channel))

    def test_members_of_before_are_removed_by_an_update(self):
        channel = self.say()
        left = new_test_user(self.env, "left", groups="base.group_user")
        customer = self.contact(phone=False)
        self.env.flush_all()
        for partner in (
            self.portal.partner_id
            + left.partner_id
            + customer
            + self.env.ref("base.partner_root")
        ):
            self.env.cr.execute(
                "INSERT INTO discuss_channel_member"
                " (channel_id, partner_id, new_message_separator) VALUES (%s, %s, 0)",
                (channel.id, partner.id),
            )
        left.active = False
        self.env.flush_all()
        self.env["discuss.channel.member"].init()
        self.env.invalidate_all()
        self.assertEqual(self.members(channel), self.sofia.partner_id + customer)

    def test_who_links_a_portal_user_makes_an_author_of_it_and_no_member(self):
        channel = self.say()
        lead = channel.lead_id
        partner = self.portal.partner_id
        lead.with_user(self.sofia).partner_id = partner
        link = self.links.search([("partner_id", "=", partner.id)])
        self.assertEqual(link.gateway_token, channel.gateway_channel_token)
        self.assertIn("confirmed that paco", self.notes(lead))
        self.say("It is me")
        self.assertEqual(self.authors(channel)[0], partner)
        self.assertNotIn(partner, self.members(channel))
        lead.action_set_won()
        self.assertEqual(self.say("Again").lead_id.partner_id, partner)

    def test_who_begins_a_conversation_takes_part(self):
        lead = self.lead(user_id=False)
        lead.with_user(self.sofia).action_open_whatsapp()
        channel = lead.whatsapp_channel_ids
        self.assertEqual(self.members(channel), self.sofia.partner_id)


class TestConfirming(IdentityCase):
    def test_only_a_person_of_ours_confirms(self):
        channel = self.say()
        partner = self.portal.partner_id
        channel.lead_id.partner_id = partner  # OdooBot, such as the assignment of leads
        self.assertFalse(self.links.search([("partner_id", "=", partner.id)]))
        channel.lead_id.partner_id = False
        lead = channel.lead_id.with_user(self.sofia).with_context(import_file=True)
        lead.partner_id = partner
        self.assertFalse(self.links.search([("partner_id", "=", partner.id)]))

    def test_merging_leads_confirms_nothing(self):
        channel = self.say()
        other = self.lead(
            partner_id=self.portal.partner_id.id, phone="+34 1", probability=1
        )
        leads = (channel.lead_id + other).with_user(self.env.ref("base.user_admin"))
        merged = leads.merge_opportunity()
        self.assertEqual(merged.partner_id, self.portal.partner_id)
        self.assertEqual(merged.whatsapp_channel_ids, channel)
        self.assertFalse(self.links.search([("gateway_id", "=", self.gateway.id)]))

    def test_choosing_the_contact_confirms_its_number_for_good(self):
        partner = self.contact(phone=False)
        self.typed_by(self.public, partner)
        channel = self.say()
        channel.lead_id.with_user(self.sofia).partner_id = partner
        self.assertFalse(partner.whatsapp_unconfirmed)
        self.say("Again")
        self.assertEqual(self.authors(channel)[0], partner)

    def test_a_second_number_of_a_contact_can_be_confirmed_too(self):
        ana, bob = self.say(), self.say(person=BOB)
        partner = self.contact(phone=False)
        ana.lead_id.with_user(self.sofia).partner_id = partner
        bob.lead_id.with_user(self.tomas).partner_id = partner
        link = self.links.search([("partner_id", "=", partner.id)])
        self.assertEqual(link.gateway_token, BOB["from"], "one row for each number")
        self.say("Again", person=BOB)
        self.assertEqual(self.authors(bob)[0], partner)

    def test_the_last_choice_counts(self):
        channel = self.say()
        lead = channel.lead_id.with_user(self.sofia)
        wrong, right = self.contact(phone=False), self.contact(phone=False)
        lead.partner_id = wrong
        lead.partner_id = right
        links = self.links.search([("gateway_id", "=", self.gateway.id)])
        self.assertEqual(links.partner_id, right)
        self.say("Again")
        self.assertEqual(self.authors(channel)[0], right)

    def test_a_contact_that_was_chosen_follows_a_new_number(self):
        channel = self.say()
        partner = self.portal.partner_id
        channel.lead_id.with_user(self.sofia).partner_id = partner
        system = {"type": "user_changed_number", "wa_id": "5215587654321"}
        self.receive(self.message("system", system))
        new = {"from": "5215587654321", "name": "Ana Pérez"}
        self.say("New number", person=new)
        self.assertEqual(self.authors(channel)[0], partner)


class TestWebhookUser(IdentityCase):
    def strangers(self):
        """Three people write; return their leads."""
        leads = self.env["crm.lead"]
        for n in range(3):
            person = {"from": f"521555000000{n}", "name": f"Stranger {n}"}
            channel = self.say(person=person)
            self.assertEqual(self.texts(channel), ["Hi"])
            self.assertEqual(channel.company_id, self.company)
            leads |= channel.lead_id
        return leads

    def user(self, **values):
        user = new_test_user(self.env, "webhook", groups="base.group_user", **values)
        self.gateway.webhook_user_id = user
        return user

    def test_an_employee_who_leaves_is_nobody_s_customer(self):
        user = self.user()
        first = self.say()
        self.assertNotIn(user.partner_id, first.channel_member_ids.partner_id)
        user.active = False
        with self.assertLogs(
            "odoo.addons.mail_gateway_whatsapp_queue", "WARNING"
        ) as log:
            leads = self.strangers()
        self.assertIn("OdooBot works instead", log.output[0])
        self.assertEqual(len(leads), 3)
        self.assertFalse(leads.partner_id)
        self.assertNotEqual(self.say("Again").lead_id, leads[0])

    def test_a_former_colleague_among_the_members_is_not_the_customer(self):
        channel = self.say()
        user = new_test_user(self.env, "former", groups="base.group_user")
        channel.add_members(partner_ids=user.partner_id.ids)
        user.active = False
        self.env.flush_all()
        self.assertFalse(channel._whatsapp_customer())

    def test_messages_come_without_a_webhook_user(self):
        self.gateway.webhook_user_id = False
        self.assertEqual(len(self.strangers()), 3)

    def test_messages_come_when_the_webhook_user_was_deleted(self):
        self.user().unlink()
        self.assertEqual(len(self.strangers()), 3)

    def test_messages_come_when_the_webhook_user_is_of_the_portal(self):
        self.gateway.webhook_user_id = self.portal
        self.assertEqual(len(self.strangers()), 3)

    def test_messages_come_when_the_webhook_user_has_no_rights(self):
        self.user()
        self.assertEqual(len(self.strangers()), 3)

    def test_messages_come_when_the_webhook_user_is_of_another_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.user(company_id=other.id, company_ids=[(6, 0, other.ids)])
        self.assertEqual(len(self.strangers()), 3)
