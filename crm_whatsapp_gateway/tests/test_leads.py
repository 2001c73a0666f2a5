# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import fields
from odoo.tests import new_test_user
from odoo.tools import html2plaintext

from .common import ANA, WhatsappCase

BOB = {"from": "34612345678", "name": "Bob", "bsuid": "ES.5550001"}


class LeadCase(WhatsappCase):
    def say(self, text="Hi", person=ANA, **more):
        """A customer writes; return the conversation."""
        return self.receive(
            self.message(content=text, person=person, **more), person=person
        )

    def second_number(self, **values):
        """Return another number of ours, of the same app."""
        return self.gateway.copy(
            {
                "token": "EAAtoken",
                "webhook_key": "other-key",
                "webhook_secret": "the app secret",
                "whatsapp_from_phone": "10002",
                "integrated_webhook_state": "integrated",
                **values,
            }
        )

    def lead(self, **values):
        """Return a lead of Tomás with Ana's number."""
        return self.env["crm.lead"].create(
            {
                "name": "Offer",
                "type": "opportunity",
                "phone": "+52 55 1234 5678",
                "company_id": self.company.id,
                "user_id": self.tomas.id,
                **values,
            }
        )

    def ago(self, lead, days):
        """Let a lead have been closed some days ago."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET date_closed = date_closed - %s WHERE id = %s",
            (timedelta(days=days), lead.id),
        )
        self.env.invalidate_all()

    def notes(self, record):
        """Return all that a record's history says, as text."""
        return html2plaintext(" ".join(record.message_ids.mapped("body")))


class TestFinding(LeadCase):
    def test_however_people_typed_the_number(self):
        for typed, country, wa_id in (
            ("55 1234 5678 ext. 4", "base.mx", "5215512345678"),
            ("5215512345678", "base.es", "5215512345678"),
            ("https://wa.me/5215512345678", None, "5215512345678"),
            ("casa 55 8765 4321 / 55 1234 5678", "base.mx", "5215512345678"),
            ("34600111222", "base.mx", "34600111222"),
            ("0xx41 98888-7777", "base.br", "554188887777"),
            ("+54 11 15 2233 4455", None, "5491122334455"),
            ("+54 11 6677-8899", None, "5491166778899"),
        ):
            with self.subTest(typed=typed):
                lead = self.lead(
                    phone=typed,
                    country_id=self.env.ref(country).id if country else False,
                )
                person = {"from": wa_id, "name": typed}
                channel = self.say(person=person)
                self.assertEqual(channel.lead_id, lead)
                self.assertIn(typed, lead.whatsapp_match_reason)
                self.assertIn(f"+{wa_id}", lead.whatsapp_match_reason)
                (lead + channel.lead_id).unlink()
                channel.unlink()

    def test_the_second_number_of_a_record_counts_as_much_as_the_first(self):
        name = next(
            (n for n in ("mobile", "phone") if n in self.env["res.partner"]), "phone"
        )
        other = "phone" if name == "mobile" else "mobile"
        partner = self.env["res.partner"].create(
            {"name": "Ana", name: "+52 55 8765 4321", other: "55 1234 5678"}
        )
        lead = self.lead(phone=False, partner_id=partner.id)
        lead.phone = False
        partner.write({name: "+52 55 8765 4321", other: "55 1234 5678"})
        self.assertEqual(self.say().lead_id, lead)

    def test_the_same_whatsapp_user_at_another_number_of_ours(self):
        hidden = {"bsuid": ANA["bsuid"], "name": "Ana"}
        first = self.say(person=hidden)
        other = self.second_number()
        body = self.delivery(
            self.message(content="Here, too", person=hidden),
            person=hidden,
            number="10002",
        )
        self.assertEqual(self.post(body).status_code, 200)
        self.drain()
        second = self.env["discuss.channel"].search([("gateway_id", "=", other.id)])
        lead = first.lead_id
        self.assertEqual(second.lead_id, lead)
        self.assertEqual(lead.whatsapp_channel_ids, first + second)
        self.assertIn(
            lead.user_id.partner_id,
            second.channel_member_ids.partner_id,
            "whoever has the lead hears of it",
        )
        self.assertEqual(lead.with_user(lead.user_id).whatsapp_unread, 2)
        self.assertIn(ANA["bsuid"], self.notes(first.lead_id))

    def test_of_several_leads_the_owned_then_the_active_one_is_chosen(self):
        nobody_s = self.lead(name="Nobody's", user_id=False)
        quiet = self.lead(name="Quiet")
        active = self.lead(name="Active")
        newest = self.lead(name="Newest")
        self.env.flush_all()
        for lead, days in ((nobody_s, 0), (quiet, 9), (active, 8), (newest, 5)):
            self.env.cr.execute(
                "UPDATE crm_lead SET write_date = write_date - %s WHERE id = %s",
                (timedelta(days=days), lead.id),
            )
        self.env.cr.execute(
            "UPDATE mail_message SET date = date - interval '10 days'"
            " WHERE model = 'crm.lead' AND res_id = ANY(%s)",
            ((nobody_s + quiet + active + newest).ids,),
        )
        self.env.invalidate_all()
        active.message_post(body="We met today")
        channel = self.say()
        self.assertEqual(channel.lead_id, active)
        notes = self.notes(active)
        for other in (nobody_s, quiet, newest):
            self.assertIn(other.name, notes)
        self.assertEqual(active.whatsapp_duplicate_ids, nobody_s + quiet + newest)
        owner = active.with_user(self.tomas)
        action = owner.action_whatsapp_merge()
        wizard = (
            self.env[action["res_model"]]
            .with_user(self.tomas)
            .with_context(**action["context"])
            .create({})
        )
        self.assertEqual(wizard.opportunity_ids, owner | owner.whatsapp_duplicate_ids)

    def test_an_open_lead_is_found_behind_any_number_of_closed_ones(self):
        lead = self.lead()
        won = self.env["crm.stage"].search([("is_won", "=", True)], limit=1)
        for _n in range(30):
            self.lead().stage_id = won
        self.assertEqual(self.say().lead_id, lead)

    def test_a_lead_of_a_company_that_nobody_shares_is_another_s(self):
        other = self.env["res.company"].create({"name": "Other"})
        partner = self.env["res.partner"].create(
            {"name": "Ana", "phone": "+525512345678", "company_id": other.id}
        )
        self.lead(partner_id=partner.id, company_id=other.id, user_id=False)
        shared = self.lead(company_id=False)
        self.assertEqual(self.say().lead_id, shared)
        self.assertFalse(shared.partner_id)

    def test_queries_of_finding_do_not_grow_with_the_person_s_leads(self):
        channel = self.say()

        def cost():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertTrue(channel._whatsapp_leads_of_person()._whatsapp_best_open())
            return self.env.cr.sql_log_count - before

        self.lead()
        few = cost()
        for number in range(10):
            self.lead(name=str(number))
        self.assertLessEqual(cost(), few)


class TestCreating(LeadCase):
    def test_a_contact_brings_what_is_known_and_keeps_its_own_number(self):
        self.env["res.lang"]._activate_lang("es_ES")
        company = self.env["res.partner"].create(
            {"name": "Cocinas SA", "is_company": True}
        )
        partner = self.env["res.partner"].create(
            {
                "name": "Ana Known",
                "phone": "55 8765 4321 / 55 1234 5678",
                "country_id": self.env.ref("base.mx").id,
                "parent_id": company.id,
                "lang": "es_ES",
                "user_id": self.tomas.id,
            }
        )
        lead = self.say().lead_id
        self.assertEqual(lead.partner_id, partner)
        self.assertEqual(lead.contact_name, "Ana Known")
        self.assertEqual(lead.partner_name, "Cocinas SA")
        self.assertEqual(lead.lang_id.code, "es_ES")
        self.assertEqual(lead.user_id, self.tomas)
        self.assertIn("contact", lead.whatsapp_assign_reason)
        self.assertEqual(partner.phone, "55 8765 4321 / 55 1234 5678")

    def test_a_contact_s_salesperson_off_duty_is_replaced_and_that_is_said(self):
        self.env["res.partner"].create(
            {"name": "Ana", "phone": "+525512345678", "user_id": self.tomas.id}
        )
        self.employees[1].whatsapp_agent = False
        lead = self.say().lead_id
        self.assertEqual(lead.user_id, self.sofia)
        self.assertIn("tomas", lead.whatsapp_assign_reason)

    def test_the_language_is_one_that_is_spoken_there(self):
        self.env["res.lang"].search([("code", "=like", "es_%")]).active = False
        self.env["res.lang"]._activate_lang("es_ES")
        self.assertEqual(self.say().lead_id.lang_id.code, "es_ES")
        self.env["res.lang"]._activate_lang("es_MX")
        person = {"from": "5215587654321", "name": "Eva"}
        self.assertEqual(self.say(person=person).lead_id.lang_id.code, "es_MX")
        person = {"from": "819012345678", "name": "Rin"}
        self.assertFalse(self.say(person=person).lead_id.lang_id)

    def test_a_number_that_comes_later_stands_on_the_lead(self):
        lead = self.say(person={"bsuid": ANA["bsuid"], "name": "Ana"}).lead_id
        self.assertFalse(lead.phone)
        self.say()
        self.assertEqual(lead.phone, "+52 55 1234 5678")

    def test_the_gateway_decides_between_lead_and_opportunity(self):
        for wanted, team_uses_leads, kind in (
            ("team", False, "opportunity"),
            ("team", True, "lead"),
            ("lead", False, "lead"),
            ("opportunity", True, "opportunity"),
        ):
            with self.subTest(wanted=wanted, team_uses_leads=team_uses_leads):
                self.team.use_leads = team_uses_leads
                self.gateway.whatsapp_lead_type = wanted
                channel = self.say()
                self.assertEqual(channel.lead_id.type, kind)
                channel.lead_id.unlink()
                channel.unlink()

    def test_a_number_without_a_team_works_too(self):
        self.gateway.whatsapp_team_id = False
        lead = self.say().lead_id
        self.assertEqual(lead.user_id, self.sofia)
        lead.action_set_won()
        second = self.say("Again").lead_id
        self.assertNotEqual(second, lead)
        self.assertEqual(second.user_id, self.sofia)

    def refused(self, words):
        channel = self.say()
        self.assertEqual(self.texts(channel)[-1], "Hi", "the message is shown")
        self.assertFalse(channel.lead_id)
        self.assertFalse(self.env["crm.lead"].search([("name", "ilike", "Ana")]))
        self.assertIn(words, channel.whatsapp_no_lead_reason)
        self.say("Again")
        said = self.notes(channel).count(channel.whatsapp_no_lead_reason)
        self.assertEqual(said, 1, "once is enough")
        return channel

    def test_our_own_people_are_no_leads(self):
        self.tomas.partner_id.phone = "+52 1 55 1234 5678"
        channel = self.refused("tomas")
        self.tomas.active = False
        self.assertTrue(self.say().lead_id, "who has left is a customer like others")
        self.assertFalse(channel.whatsapp_no_lead_reason)

    def test_the_mobile_of_an_employee_is_no_lead_either(self):
        self.employees[1].mobile_phone = "55 1234 5678"
        self.refused("tomas")

    def test_blacklisted_numbers_are_no_leads(self):
        self.env["phone.blacklist"].add("+525512345678")
        self.refused("blacklist")

    def test_contacts_with_certain_tags_are_no_leads(self):
        parent = self.env["res.partner.category"].create({"name": "Suppliers"})
        tag = self.env["res.partner.category"].create(
            {"name": "Wood", "parent_id": parent.id}
        )
        self.env["res.partner"].create(
            {"name": "Ana", "phone": "+525512345678", "category_id": [(4, tag.id)]}
        )
        self.gateway.whatsapp_excluded_tag_ids = parent
        self.refused("Wood")

    def test_a_person_may_decide_otherwise(self):
        self.env["phone.blacklist"].add("+525512345678")
        channel = self.refused("blacklist").with_user(self.sofia)
        channel.action_create_lead()
        lead = channel.lead_id
        self.assertTrue(lead.user_id)
        self.assertIn("Again", lead.description)
        self.assertFalse(channel.sudo().whatsapp_no_lead_reason)

    def test_an_open_lead_of_such_a_person_stays_theirs(self):
        lead = self.lead()
        self.env["phone.blacklist"].add("+525512345678")
        self.assertEqual(self.say().lead_id, lead)


class TestReturning(LeadCase):
    def set_scene(self):
        super().set_scene()
        self.channel = self.say()
        self.first = self.channel.lead_id
        self.first.user_id = self.tomas

    def test_a_lost_lead_is_opened_again(self):
        self.first.action_set_lost()
        self.ago(self.first, 29)
        self.first.activity_ids.unlink()
        self.say("Still there?")
        self.assertEqual(self.channel.lead_id, self.first)
        self.assertTrue(self.first.active)
        self.assertGreater(self.first.probability, 0)
        self.assertEqual(self.first.user_id, self.tomas)
        lost = fields.Date.to_string(fields.Date.today() - timedelta(days=29))
        self.assertIn(f"lost on {lost}", self.notes(self.first))
        self.assertEqual(len(self.first.activity_ids), 1, "a call is asked for again")

    def test_a_lost_lead_of_somebody_off_duty_goes_to_the_next(self):
        self.employees[1].whatsapp_agent = False
        self.first.action_set_lost()
        self.say("Still there?")
        self.assertEqual(self.channel.lead_id, self.first)
        self.assertEqual(self.first.user_id, self.sofia)
        self.employees.whatsapp_agent = False
        self.first.action_set_lost()
        self.say("And now?")
        self.assertEqual(self.first.user_id, self.sofia, "with nobody it stays")
        self.assertFalse(self.first.whatsapp_queued_at)

    def after(self, days):
        self.ago(self.first, days)
        self.say("Me again")
        second = self.channel.lead_id
        self.assertNotEqual(second, self.first)
        self.assertEqual(second.type, "opportunity")
        self.assertEqual(second.user_id, self.tomas, "the same salesperson")
        self.assertIn("before", second.whatsapp_assign_reason)
        self.assertIn(self.first.name, self.notes(second))
        self.assertIn(second.name, self.notes(self.first))
        self.assertIn("Me again", second.description)
        self.assertEqual(len(second.activity_ids), 1)
        return second

    def test_a_lead_that_was_lost_long_ago_makes_a_new_one(self):
        self.first.action_set_lost()
        self.after(31)
        self.assertFalse(self.first.active)

    def test_a_won_lead_makes_a_new_one(self):
        self.first.action_set_won()
        second = self.after(0)
        second.action_set_won()
        self.ago(second, 400)
        self.say("A year later")
        third = self.channel.lead_id
        self.assertNotIn(third, self.first + second)

    def test_days_are_as_the_gateway_says(self):
        self.gateway.whatsapp_reopen_days = 0
        self.first.action_set_lost()
        self.after(0)

    def test_after_a_sale_messages_may_stay_for_some_days(self):
        self.gateway.whatsapp_won_days = 7
        self.first.action_set_won()
        self.first.activity_ids.unlink()
        self.ago(self.first, 6)
        self.say("Thank you!")
        self.assertEqual(self.channel.lead_id, self.first)
        self.assertTrue(self.first.stage_id.is_won)
        self.assertFalse(self.first.activity_ids)
        self.after(2)

    def test_an_archived_lead_is_like_a_lost_one(self):
        self.first.action_archive()
        self.say("Still there?")
        self.assertEqual(self.channel.lead_id, self.first)
        self.assertTrue(self.first.active)

    def test_after_a_lead_was_deleted_there_is_a_new_one(self):
        self.first.unlink()
        self.assertTrue(self.channel.exists())
        self.assertFalse(self.channel.whatsapp_user_id)
        self.say("Hello?")
        self.assertTrue(self.channel.lead_id)
        self.assertEqual(self.texts(self.channel), ["Hi", "Hello?"])

    def test_after_conversation_and_contact_were_deleted(self):
        self.channel.unlink()
        self.env["res.partner"].search([("name", "=", "Ana Pérez")]).unlink()
        self.assertEqual(self.say("Hello?").lead_id, self.first)

    def test_the_salesperson_has_left(self):
        self.tomas.active = False
        self.say("Hello?")
        self.assertEqual(self.first.user_id, self.sofia)
        self.first.action_set_won()
        self.ago(self.first, 60)
        self.say("And again")
        self.assertEqual(self.channel.lead_id.user_id, self.sofia)

    def test_a_salesperson_off_duty_is_replaced(self):
        # nobody waits, who would go on at once
        self.channel.whatsapp_conversation_ids.action_close()
        self.employees[1].whatsapp_agent = False
        self.first.action_set_won()
        self.say("Another one, please")
        second = self.channel.lead_id
        self.assertEqual(second.user_id, self.sofia)
        self.assertIn("tomas", second.whatsapp_assign_reason)
        self.assertNotIn(
            self.tomas.partner_id, self.channel.channel_member_ids.partner_id
        )


class TestMerging(LeadCase):
    def test_merged_leads_keep_every_conversation(self):
        ana, bob = self.say(), self.say(person=BOB)
        survivor, other = ana.lead_id, bob.lead_id
        survivor.probability = 90
        merged = (survivor + other).merge_opportunity()
        self.assertEqual(merged, survivor)
        self.assertFalse(other.exists())
        self.assertEqual(merged.whatsapp_channel_ids, ana + bob)
        self.assertEqual(bob.whatsapp_user_id, merged.user_id)
        self.assertIn(merged.user_id.partner_id, bob.channel_member_ids.partner_id)
        self.assertEqual(len(merged._whatsapp_calls()), 1, "one call is enough")
        self.assertTrue(merged.whatsapp_match_reason)
        self.say("Again", person=BOB)
        self.assertEqual(bob.lead_id, merged)

    def test_a_merge_asks_for_no_call_and_takes_no_deadline_over(self):
        self.gateway.whatsapp_answer_minutes = 30
        ana, bob = self.say(), self.say(person=BOB)
        survivor, other = ana.lead_id, bob.lead_id
        survivor.probability = 90
        self.answer(ana, "Hello")
        self.answer(bob, "Hello")
        other.whatsapp_answer_deadline = fields.Datetime.now()
        bob.active = False
        (survivor + other).merge_opportunity()
        self.env.flush_all()
        self.assertFalse(survivor.activity_ids)
        self.assertFalse(survivor.whatsapp_answer_deadline)
        self.assertEqual(bob.lead_id, survivor, "an archived conversation, too")

    def test_the_conversation_follows_a_lead_that_is_merged_away(self):
        channel = self.say()
        chosen = self.lead(probability=90, phone=False)
        merged = (channel.lead_id + chosen).merge_opportunity()
        self.assertEqual(merged, chosen)
        self.assertEqual(channel.lead_id, chosen)
        self.assertTrue(chosen.whatsapp_opened_at)
        self.assertEqual(len(chosen.activity_ids), 1)
        self.say("Again")
        self.assertEqual(channel.lead_id, chosen)
        self.assertEqual(len(chosen.activity_ids), 1)

    def merge_partners(self, partners, survivor):
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        self.env.flush_all()
        wizard._merge(partners.ids, survivor)
        self.env.invalidate_all()

    def test_merged_contacts_are_one_person(self):
        partners = self.env["res.partner"].create(
            [
                {"name": "Ana", "phone": "+525512345678"},
                {"name": "Anna", "phone": "+34612345678"},
            ]
        )
        ana, bob = self.say(), self.say(person=BOB)
        self.assertEqual(bob.lead_id.partner_id, partners[1])
        self.merge_partners(partners, partners[0])
        self.assertEqual(bob.lead_id.partner_id, partners[0])
        self.say("From my Spanish number", person=BOB)
        self.say("From my Mexican number")
        for channel in ana + bob:
            messages = channel.message_ids.filtered(
                lambda m: m.message_type == "comment"
            )
            self.assertEqual(messages.author_id, partners[0])
        bob.lead_id.action_set_won()
        self.say("Another order", person=BOB)
        self.assertEqual(bob.lead_id.partner_id, partners[0])
        self.assertEqual(bob.lead_id, ana.lead_id, "one person, one open lead")


class TestAds(LeadCase):
    REFERRAL = {
        "source_url": "https://fb.me/3cr4Wqqkv",
        "source_type": "ad",
        "source_id": "120226305854810726",
        "headline": "Solar panels",
        "body": "Save from the first month",
        "ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e",
    }

    def click(self, person=ANA, **changes):
        referral = {**self.REFERRAL, **changes}
        referral = {name: value for name, value in referral.items() if value}
        return self.say("More, please", person=person, referral=referral)

    def test_the_first_customer_of_an_ad_makes_its_campaign(self):
        lead = self.click().lead_id
        self.assertEqual(lead.source_id.name, "Facebook")
        self.assertEqual(lead.medium_id.name, "Click-to-WhatsApp ad")
        self.assertEqual(lead.campaign_id.title, "Solar panels")
        self.assertEqual(lead.whatsapp_ctwa_clid, "Aff-n8ZTODiE79d22KtAwQKj9e")
        self.assertEqual(lead.whatsapp_ad_id.ad_id, "120226305854810726")
        self.assertIn("https://fb.me/3cr4Wqqkv", lead.description)
        self.assertIn("Solar panels", html2plaintext(lead.description))
        self.assertIn("More, please", html2plaintext(lead.description))

    def test_the_table_decides_the_campaign(self):
        campaign = self.env["utm.campaign"].create({"title": "Spring"})
        source = self.env["utm.source"].create({"name": "Agency"})
        self.env["whatsapp.ad"].create(
            {
                "name": "Planned",
                "ad_id": "120226305854810726",
                "campaign_id": campaign.id,
                "source_id": source.id,
            }
        )
        lead = self.click().lead_id
        self.assertEqual(lead.campaign_id, campaign)
        self.assertEqual(lead.source_id, source)
        self.assertEqual(lead.medium_id.name, "Click-to-WhatsApp ad")
        second = self.click(person=BOB).lead_id
        self.assertEqual(second.campaign_id, campaign)
        self.assertEqual(second.whatsapp_ad_id.lead_count, 2)

    def test_two_ads_with_one_headline_are_two_campaigns(self):
        first = self.click().lead_id.campaign_id
        second = self.click(person=BOB, source_id="77").lead_id.campaign_id
        self.assertNotEqual(first, second)
        self.assertIn("77", second.title)

    def test_the_first_touch_wins_and_later_ones_are_noted(self):
        lead = self.say().lead_id
        self.click(source_id="1", headline="Second touch", ctwa_clid="clid-1")
        self.assertEqual(lead.source_id.name, "WhatsApp")
        self.assertFalse(lead.campaign_id)
        self.assertEqual(lead.whatsapp_ctwa_clid, "clid-1", "kept for Meta")
        self.click(source_id="2", headline="Third touch", ctwa_clid="clid-2")
        self.assertEqual(lead.whatsapp_ctwa_clid, "clid-1")
        self.assertEqual(lead.whatsapp_ad_id.ad_id, "1")
        self.assertIn("Second touch", self.notes(lead))
        self.assertIn("Third touch", self.notes(lead))

    def test_a_lead_without_a_source_gets_that_of_the_ad(self):
        lead = self.lead()
        lead.write({"source_id": False, "medium_id": False, "campaign_id": False})
        self.click()
        self.assertEqual(lead.campaign_id.title, "Solar panels")

    def test_posts_and_what_meta_leaves_out(self):
        lead = self.click(
            source_type="post", source_url="https://www.instagram.com/p/1"
        ).lead_id
        self.assertEqual(lead.source_id.name, "Instagram")
        self.assertEqual(lead.medium_id.name, "Click-to-WhatsApp post")
        bare = self.click(
            person=BOB,
            source_id=None,
            source_url=None,
            body=None,
            headline=None,
        ).lead_id
        self.assertEqual(bare.source_id.name, "Meta")
        self.assertFalse(bare.campaign_id)
        self.assertTrue(bare.whatsapp_ctwa_clid)

    def test_nonsense_in_a_referral_loses_no_message(self):
        for number, referral in enumerate(
            (
                "?",
                [],
                {"source_id": {}},
                {"headline": ["x"]},
                {"source_url": "http://["},
            )
        ):
            person = {"from": f"3461234560{number}", "name": "X"}
            channel = self.say(person=person, referral=referral)
            self.assertTrue(channel.lead_id, referral)
        lead = self.click(source_url='javascript:alert("x")').lead_id
        self.assertNotIn("javascript", lead.description)

    def test_who_removed_our_sources_gets_them_again(self):
        for name in ("utm_source_whatsapp", "utm_medium_whatsapp"):
            self.env.ref(f"crm_whatsapp_gateway.{name}").unlink()
        self.assertEqual(self.say().lead_id.source_id.name, "WhatsApp")


class TestLink(LeadCase):
    def test_a_new_owner_gets_the_conversation_and_the_call(self):
        channel = self.say()
        lead = channel.lead_id
        self.assertEqual(lead.user_id, self.sofia)
        lead.user_id = self.tomas
        members = channel.channel_member_ids.partner_id
        self.assertIn(self.tomas.partner_id, members)
        self.assertNotIn(self.sofia.partner_id, members)
        self.assertEqual(channel.whatsapp_user_id, self.tomas)
        self.assertEqual(lead.activity_ids.user_id, self.tomas)
        self.assertEqual(self.meta.calls, [], "the customer hears nothing of it")

    def test_the_lead_counts_what_the_salesperson_has_not_read(self):
        channel = self.say()
        self.say("Two")
        lead = channel.lead_id.with_user(self.sofia)
        self.assertEqual(lead.whatsapp_unread, 2)
        self.assertEqual(channel.lead_id.with_user(self.tomas).whatsapp_unread, 0)
        self.assertEqual(
            lead.whatsapp_waiting_since, channel.whatsapp_conversation_ids.waiting_since
        )
        self.answer(channel, "Hello")
        lead.invalidate_recordset()
        self.assertFalse(lead.whatsapp_waiting_since)

    def test_an_answer_in_the_chat_completes_the_call(self):
        channel = self.say()
        self.answer(channel, "Hello")
        self.assertFalse(channel.lead_id.activity_ids)
        self.assertIn("chat", self.notes(channel.lead_id))

    def test_an_answer_on_the_phone_counts_too(self):
        channel = self.say()
        echo = {
            "from": "5215500000001",
            "to": ANA["from"],
            "id": "wamid.echo1",
            "timestamp": str(self.now + 1),
            "type": "text",
            "text": {"body": "I call you later"},
        }
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"phone_number_id": "10001"},
            "message_echoes": [echo],
        }
        change = {"field": "smb_message_echoes", "value": value}
        body = {"object": "x", "entry": [{"id": "20001", "changes": [change]}]}
        self.assertEqual(self.post(body).status_code, 200)
        self.drain()
        self.assertFalse(channel.lead_id.activity_ids)

    def test_who_answers_a_lead_of_nobody_has_it(self):
        self.employees.whatsapp_agent = False
        channel = self.say()
        lead = channel.lead_id
        self.assertFalse(lead.user_id)
        channel.with_user(self.tomas).action_open_whatsapp()
        self.answer(channel, "I do it", user=self.tomas)
        self.assertEqual(lead.user_id, self.tomas)
        self.assertFalse(lead.whatsapp_queued_at)
        self.assertFalse(lead.activity_ids)
        self.assertIn("first to answer", lead.whatsapp_assign_reason)

    def test_an_answer_may_leave_the_call(self):
        self.gateway.whatsapp_activity_done_by_answer = False
        channel = self.say()
        self.answer(channel, "Hello")
        self.assertEqual(len(channel.lead_id.activity_ids), 1)

    def test_activities_that_others_planned_stay(self):
        channel = self.say()
        own = channel.lead_id.activity_schedule(
            "mail.mail_activity_data_call", user_id=self.sofia.id
        )
        self.answer(channel, "Hello")
        self.assertEqual(channel.lead_id.activity_ids, own)

    def test_type_and_delay_are_as_the_gateway_says(self):
        todo = self.env.ref("mail.mail_activity_data_todo")
        self.gateway.write(
            {"whatsapp_activity_type_id": todo.id, "whatsapp_activity_hours": 48}
        )
        activity = self.say().lead_id.activity_ids
        self.assertEqual(activity.activity_type_id, todo)
        self.assertEqual(
            activity.date_deadline, fields.Date.today() + timedelta(days=2)
        )

    def test_the_conversation_tells_of_the_lead(self):
        channel = self.say()
        channel.lead_id.expected_revenue = 500
        shown = channel.with_user(self.sofia).whatsapp_conversation_ids
        self.assertEqual(shown.expected_revenue, 500)
        self.assertEqual(shown.activity_summary, "Call now: WhatsApp message")
        self.assertEqual(shown.team_id, self.team)

    def test_a_manager_s_colleagues_see_it_no_longer(self):
        nora = new_test_user(
            self.env, login="nora", groups="sales_team.group_sale_salesman"
        )
        channel = self.say()
        self.assertFalse(channel.with_user(nora).search([("id", "=", channel.id)]))
        channel.lead_id.user_id = nora
        self.assertTrue(channel.with_user(nora).search([("id", "=", channel.id)]))
        self.assertFalse(
            channel.with_user(self.sofia).search([("id", "=", channel.id)])
        )
