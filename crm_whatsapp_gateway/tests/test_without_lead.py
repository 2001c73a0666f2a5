# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

import psycopg2.errors

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tools import mute_logger

from odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_webhook_event import (
    TELL_AFTER,
)

from .common import ANA
from .test_leads import BOB, LeadCase

EVENTS = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_webhook_event"
RULES = "odoo.addons.mail_gateway_whatsapp_queue.models.base_automation"


class TestRules(LeadCase):
    """An automation rule of the customer's fails while we work."""

    def rule(self, code="raise UserError('Ana said my secret')", **values):
        model = values.pop("model", "crm.lead")
        model_id = self.env["ir.model"]._get_id(model)
        return self.env["base.automation"].create(
            {
                "name": "Their rule",
                "model_id": model_id,
                "trigger": "on_create_or_write",
                "action_server_ids": [
                    (
                        0,
                        0,
                        {
                            "name": "Their action",
                            "model_id": model_id,
                            "state": "code",
                            "code": code,
                        },
                    )
                ],
                **values,
            }
        )

    def told(self, rule):
        return self.env["mail.activity"].search(
            [("whatsapp_automation_id", "=", rule.id)]
        )

    def assert_all_there(self, channel):
        """The first message did all that it does without the rule."""
        lead = channel.lead_id
        self.assertEqual(self.texts(channel), ["Hi"])
        self.assertEqual(lead.user_id, self.sofia)
        self.assertEqual(len(lead._whatsapp_calls()), 1)
        self.assertIn(self.sofia.partner_id, channel.channel_member_ids.partner_id)
        self.assertEqual(len(self.env["whatsapp.assignment"].search([])), 1)
        self.assertEqual(self.events(kind="message").mapped("state"), ["done"])
        self.assertFalse(self.events(kind="lead"))

    @mute_logger(RULES)
    def test_a_rule_that_raises_is_left_out_and_told_once(self):
        self.gateway.whatsapp_alert_user_ids = self.tomas
        rule = self.rule(
            "record.write({'referred': 'by the rule'})\n"
            "raise UserError('Ana said my secret')"
        )
        channel = self.say()
        self.assert_all_there(channel)
        self.assertFalse(channel.lead_id.referred, "what it did is undone")
        activity = self.told(rule)
        self.assertEqual(activity.user_id, self.tomas)
        self.assertEqual((activity.res_model, activity.res_id)[0], "mail.gateway")
        self.assertIn("Their rule", activity.summary)
        self.assertIn("UserError", activity.note)
        self.assertNotIn("secret", activity.note)
        self.say(person=BOB)
        self.assertEqual(self.told(rule), activity, "once while it is open")
        activity.action_feedback()
        self.say(person={"from": "34612345699", "name": "Eva"})
        self.assertEqual(len(self.told(rule)), 1, "after it was done, again")

    def test_the_log_names_the_rule_and_no_words(self):
        rule = self.rule()
        with self.assertLogs(level="INFO") as log:
            self.say()
        said = "\n".join(log.output)
        self.assertIn(f"rule {rule.id} failed and was left out: UserError", said)
        self.assertNotIn("secret", said)

    @mute_logger(RULES, "odoo.sql_db")
    def test_every_way_to_fail_is_survived(self):
        for number, (code, values) in enumerate(
            (
                ("1 / 0", {}),
                ("env.cr.execute('SELECT nonsense')", {}),
                ("raise UserError('x')", {"filter_domain": "[('nonsense', '=', 1)]"}),
                ("raise UserError('x')", {"filter_pre_domain": "[('no', '=', 1)]"}),
                ("raise UserError('x')", {"trigger": "on_create"}),
                ("raise UserError('x')", {"model": "discuss.channel"}),
                ("raise UserError('x')", {"model": "mail.message"}),
                ("raise UserError('x')", {"model": "discuss.channel.member"}),
                ("raise UserError('x')", {"model": "whatsapp.assignment"}),
                ("raise UserError('x')", {"model": "mail.activity"}),
            )
        ):
            with self.subTest(code=code, **values):
                rule = self.rule(code, **values)
                person = {"from": f"5215555555{number:03}", "name": f"P{number}"}
                channel = self.say(person=person)
                self.assertEqual(self.texts(channel), ["Hi"])
                self.assertTrue(channel.lead_id.user_id)
                self.assertTrue(channel.lead_id._whatsapp_calls())
                self.assertTrue(self.told(rule))
                rule.active = False

    @mute_logger(RULES)
    def test_our_own_rule_is_no_exception(self):
        rule = self.env.ref("crm_whatsapp_gateway.automation_immediate_call")
        rule.action_server_ids.code = "1 / 0"
        channel = self.say()
        self.assertEqual(self.texts(channel), ["Hi"])
        self.assertEqual(channel.lead_id.user_id, self.sofia)
        self.assertTrue(self.told(rule))

    @mute_logger(RULES)
    def test_rules_that_work_do_their_work(self):
        self.rule("record.write({'referred': 'by the rule'})", name="Works")
        self.rule()
        channel = self.say()
        self.assert_all_there(channel)
        self.assertEqual(channel.lead_id.referred, "by the rule")

    def test_a_rule_that_works_costs_no_savepoint(self):
        self.rule("pass")
        self.post(self.delivery(self.message(content="Hi")))
        with patch.object(type(self.env.cr), "savepoint") as savepoint:
            savepoint.side_effect = AssertionError
            self.drain()
        self.assertEqual(self.events().state, "done")

    def test_a_conflict_in_a_rule_repeats_the_transaction(self):
        rule = self.rule("pass")
        action, times = type(self.env["ir.actions.server"]), []
        run = action.run

        def conflict_once(self):
            if not times and self.base_automation_id == rule:
                times.append(1)
                raise psycopg2.errors.SerializationFailure()
            return run(self)

        with patch.object(action, "run", conflict_once):
            channel = self.say()
        self.assertEqual(times, [1])
        self.assert_all_there(channel)
        self.assertFalse(self.told(rule))

    @mute_logger(RULES)
    def test_leads_are_handed_out_in_spite_of_a_rule(self):
        self.employees.whatsapp_agent = False
        channel = self.say()
        self.assertTrue(channel.lead_id.whatsapp_queued_at)
        rule = self.rule()
        self.employees.whatsapp_agent = True
        self.env.flush_all()
        self.env["whatsapp.assignment"]._cron_hand_out()
        self.env.invalidate_all()
        self.assertTrue(channel.lead_id.user_id)
        self.assertTrue(self.told(rule))

    def test_people_are_told_of_a_rule_that_refuses_what_they_do(self):
        self.rule(code="raise UserError('Not so')")
        with self.assertRaisesRegex(Exception, "Not so"):
            self.lead(user_id=False)


class TestWithoutLead(LeadCase):
    """The message is shown at once, whatever is wrong with the lead."""

    @contextmanager
    def refusing(self, error=None):
        """Somebody's constraint on leads refuses whatever is written."""
        error = error or ValidationError("Leads need a colour")

        def refuse(leads, *args, **kwargs):
            raise error

        with (
            patch.object(type(self.env["crm.lead"]), "_validate_fields", refuse),
            mute_logger(EVENTS),
        ):
            yield

    def later(self, seconds=0):
        """Let what waits be due, having failed for some time."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE whatsapp_webhook_event"
            "   SET next_attempt_at = NULL, failed_since = failed_since - %s"
            " WHERE state = 'pending'",
            (timedelta(seconds=seconds),),
        )
        self.env.invalidate_all()
        self.drain()

    def alerts(self):
        return (
            self.events()
            ._alerts()
            .search(
                [
                    ("res_model", "=", "mail.gateway"),
                    (
                        "activity_type_id",
                        "=",
                        self.ref(
                            "mail_gateway_whatsapp_queue.mail_activity_type_event"
                        ),
                    ),
                ]
            )
        )

    def test_the_messages_are_shown_in_order_and_the_lead_comes_once(self):
        self.gateway.member_ids = self.tomas
        ad = {"source_type": "ad", "source_id": "120226", "headline": "Solar panels"}
        with self.refusing():
            channel = self.say("One", referral=ad)
            self.assertEqual(self.texts(channel), ["One"])
            self.assertIn(self.tomas.partner_id, channel.channel_member_ids.partner_id)
            self.assertIn("ValidationError", channel.whatsapp_no_lead_reason)
            self.say("Two")
            self.say("Three")
        self.assertEqual(self.texts(channel), ["One", "Two", "Three"])
        self.assertFalse(channel.lead_id)
        [event] = self.events(kind="lead")
        self.assertEqual(event.state, "pending")
        self.assertEqual(
            set(self.events(kind="message").mapped("state")), {"done"}, "as shown"
        )
        self.say("Four")
        self.assertFalse(channel.lead_id, "which is not of the fourth message")
        self.later()
        lead = channel.lead_id
        self.assertIn("One", lead.description)
        self.assertEqual(lead.campaign_id.title, "Solar panels")
        self.assertEqual(lead.user_id, self.sofia)
        self.assertEqual(len(lead._whatsapp_calls()), 1)
        self.assertEqual(
            channel.with_user(self.sofia).whatsapp_conversation_ids.unread, 4
        )
        self.assertFalse(channel.whatsapp_no_lead_reason)
        event.action_process_again()
        self.say("Five")
        self.later()
        leads = self.env["crm.lead"].search([("whatsapp_channel_ids", "!=", False)])
        self.assertEqual(leads, lead)
        self.assertEqual(self.texts(channel), ["One", "Two", "Three", "Four", "Five"])

    @mute_logger(EVENTS, "odoo.sql_db")
    def test_a_field_that_leads_must_have_stops_no_message(self):
        self.env.flush_all()
        self.env.cr.execute(
            "ALTER TABLE crm_lead ADD CONSTRAINT theirs CHECK (referred IS NOT NULL)"
            " NOT VALID"
        )
        channel = self.say()
        self.assertEqual(self.texts(channel), ["Hi"])
        self.assertIn("CheckViolation", channel.whatsapp_no_lead_reason)
        self.env.cr.execute("ALTER TABLE crm_lead DROP CONSTRAINT theirs")
        self.later()
        self.assertTrue(channel.lead_id.user_id)

    def test_a_failure_that_passes_leaves_no_trace(self):
        lead, times = type(self.env["crm.lead"]), []
        create = lead.create

        def fail_once(leads, vals_list):
            if not times:
                times.append(1)
                raise ValueError
            return create(leads, vals_list)

        with patch.object(lead, "create", fail_once), mute_logger(EVENTS):
            channel = self.say()
        self.assertTrue(channel.lead_id.user_id)
        self.assertEqual(set(self.events().mapped("state")), {"done"})
        self.assertFalse(channel.whatsapp_no_lead_reason)

    def test_a_message_of_a_batch_that_fails_keeps_the_others_company(self):
        for person in (ANA, BOB):
            message = self.message(content="Hi", person=person)
            self.post(self.delivery(message, person=person))
        lead = type(self.env["crm.lead"])
        create = lead.create

        def refuse_ana(leads, vals_list):
            if "Ana" in str(vals_list):
                raise ValueError
            return create(leads, vals_list)

        with patch.object(lead, "create", refuse_ana), mute_logger(EVENTS):
            self.drain()
        channels = self.env["discuss.channel"].search(
            [("gateway_id", "=", self.gateway.id)], order="name"
        )
        self.assertEqual([self.texts(one) for one in channels], [["Hi"], ["Hi"]])
        self.assertEqual([bool(one.lead_id) for one in channels], [False, True])

    def test_who_is_alerted_is_told_once_and_when_it_works(self):
        self.gateway.whatsapp_alert_user_ids = self.tomas
        with self.refusing():
            self.say()
            self.say(person=BOB)
            self.later(30)
            self.assertFalse(self.alerts(), "not at once")
            self.later(TELL_AFTER.total_seconds())
            alert = self.alerts()
            self.assertEqual(alert.user_id, self.tomas)
            self.assertIn("Leads need a colour", alert.note)
            self.later(600)
            self.assertEqual(self.alerts(), alert)
        self.later()
        self.assertFalse(self.alerts())
        leads = self.env["crm.lead"].search([("whatsapp_channel_ids", "!=", False)])
        self.assertEqual(len(leads), 2)

    def test_process_again_means_now(self):
        with self.refusing():
            channel = self.say()
        [event] = self.events(kind="lead")
        self.assertGreater(event.next_attempt_at, fields.Datetime.now())
        event.action_process_again()
        self.drain()
        self.assertTrue(channel.lead_id)
        self.assertEqual(event.state, "done")

    def test_a_person_may_make_the_lead_meanwhile(self):
        with self.refusing():
            channel = self.say()
        channel.with_user(self.sofia).action_create_lead()
        lead = channel.lead_id
        self.assertTrue(lead)
        self.later()
        self.assertEqual(channel.lead_id, lead)
        self.assertEqual(self.events(kind="lead").state, "done")

    def test_a_lead_that_cannot_be_assigned_stops_no_message(self):
        lead = self.lead(user_id=False)
        with (
            patch.object(
                type(self.env["hr.employee"]), "_whatsapp_choose", side_effect=KeyError
            ),
            mute_logger(EVENTS),
        ):
            channel = self.say()
            self.assertEqual(self.texts(channel), ["Hi"])
        self.later()
        self.assertEqual(channel.lead_id, lead)
        self.assertEqual(lead.user_id, self.sofia)

    def test_a_number_that_a_lead_refuses_stops_no_message(self):
        hidden = {"bsuid": ANA["bsuid"], "name": "Ana"}
        channel = self.say("One", person=hidden)
        with (
            self.refusing(),
            mute_logger("odoo.addons.crm_whatsapp_gateway.models.crm_lead"),
        ):
            self.say("Two")
        self.assertEqual(self.texts(channel), ["One", "Two"])
        self.assertFalse(channel.lead_id.phone)
        self.assertFalse(self.events(kind="lead"))

    def test_a_conversation_that_was_deleted_needs_no_lead(self):
        with self.refusing():
            self.say().unlink()
        self.later()
        self.assertEqual(self.events(kind="lead").state, "done")
