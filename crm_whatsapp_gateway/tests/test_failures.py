# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import io
from datetime import timedelta

import requests
from PIL import Image
from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user
from odoo.tools import mute_logger

from odoo.addons.mail_gateway_whatsapp_queue.models import (
    whatsapp_message_queue_alert as alerts,
)
from odoo.addons.mail_gateway_whatsapp_queue.tools.errors import CATALOGUE, classify

from .common import ConversationCase, WhatsappCase

ALERT = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_message_queue_alert"
UNREACHABLE = (400, {"error": {"code": 131026, "message": "x"}})
BUG = (400, {"error": {"code": 100, "message": "x"}})
TOKEN = (401, {"error": {"code": 190, "message": "x"}})


class TestFailures(ConversationCase):
    """What could not be sent: who is told, and what they can do about it."""

    def set_scene(self):
        super().set_scene()
        self.admins = self.env["res.users"]
        for login in ("ines", "omar"):
            self.admins |= new_test_user(self.env, login, groups="base.group_system")
        self.gateway.whatsapp_alert_user_ids = self.admins

    def failed(self, answer=UNREACHABLE, body="Hello"):
        """Return the row of a message that Meta did not take."""
        self.meta.answers = [answer]
        row = self.answer(self.channel, body)
        self.send_due()
        return row

    def delivery_of(self, row):
        message = row.message_id.with_user(self.owner)
        return message.whatsapp_delivery()

    # ------------------------------------------------------------- dictionary

    def test_every_code_has_the_consequence_of_its_kind(self):
        """Each error code of Meta, through the row that meets it."""
        row = self.answer(self.channel, "Hello")
        for entry, known in CATALOGUE.items():
            code, _slash, subcode = entry.partition("/")
            if not code.isdecimal():
                continue
            with self.subTest(entry=entry), mute_logger(ALERT):
                row.write({"state": "sending", "attempts": 1, "next_attempt_at": False})
                row.throttled_since = False
                self.gateway.whatsapp_pause_reason = False
                error = classify(
                    400, {"error": {"code": int(code), "error_subcode": subcode}}
                )
                row._record(error)
                self.assertEqual(row.error_id.code, entry)
                self.assertEqual(row.error_text, known.advice)
                paused = bool(self.gateway.whatsapp_pause_reason)
                self.assertEqual(paused, known.kind == "auth")
                self.assertEqual(
                    row.state, "failed" if known.kind == "permanent" else "queued"
                )
                repeats = known.kind in ("transient", "throttled")
                self.assertEqual(bool(row.next_attempt_at), repeats)
                if repeats:
                    wait = row.next_attempt_at - fields.Datetime.now()
                    burnt = known.kind == "transient"
                    self.assertEqual(row.attempts, int(burnt))
                    expected = max(60 * burnt, known.wait_seconds)
                    self.assertAlmostEqual(wait.total_seconds(), expected, delta=20)

    def test_a_code_that_meta_invents_tomorrow_can_be_added(self):
        row = self.failed((400, {"error": {"code": 139999999, "message": "x"}}))
        unknown = self.env.ref("mail_gateway_whatsapp_queue.error_unknown")
        self.assertEqual((row.state, row.error_id), ("failed", unknown))
        self.env["whatsapp.error"].create(
            {
                "code": "139999999",
                "name": "Tired",
                "kind": "transient",
                "actor": "nobody",
                "advice": "Wait.",
                "wait_seconds": 7200,
            }
        )
        row.action_retry()
        self.meta.answers = [(400, {"error": {"code": 139999999, "message": "x"}})]
        self.send_due()
        self.assertEqual((row.state, row.error_text), ("queued", "Wait."))
        wait = row.next_attempt_at - fields.Datetime.now()
        self.assertAlmostEqual(wait.total_seconds(), 7200, delta=20)

    def test_a_code_stands_there_once(self):
        entry = self.env.ref("mail_gateway_whatsapp_queue.error_131026")
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            entry.copy()
            self.env.flush_all()

    # ------------------------------------------------------------- history

    def test_the_whole_history_of_a_message_is_kept(self):
        self.meta.answers = [(500, {"error": {"code": 131000}}), UNREACHABLE]
        row = self.answer(self.channel, "Hello")
        for _attempt in range(2):
            self.send_due()
            row.next_attempt_at = False
        row.with_user(self.owner).action_retry()
        self.send_due()
        self.assertEqual(
            row.attempt_ids.sorted("id").mapped("outcome"),
            ["transient", "permanent", "sent"],
        )
        self.assertEqual(
            row.attempt_ids.sorted("id").error_id.mapped("code"), ["131000", "131026"]
        )
        decided = row.message_ids.filtered(lambda m: "sent again" in m.body)
        self.assertEqual(decided.author_id, self.owner.partner_id)

    # ------------------------------------------------------------- alerts

    @mute_logger(ALERT)
    def test_each_administrator_has_one_alert_however_many_fail(self):
        rows = [self.failed(BUG, f"Hello {number}") for number in range(3)]
        found = self.activities_of(alerts.NOT_SENT)
        self.assertEqual(found.user_id, self.admins)
        self.assertEqual(set(found.mapped("res_id")), {rows[0].id})
        for words in ("technical error", "Ana", f'oe-id="{self.channel.lead_id.id}"'):
            self.assertIn(words, found[0].note)
        rows[0].with_user(self.owner).action_retry()
        self.send_due()
        self.assertFalse(self.activities_of(alerts.NOT_SENT))
        self.failed(BUG, "Again")
        self.assertEqual(len(self.activities_of(alerts.NOT_SENT)), 2)

    @mute_logger(ALERT)
    def test_an_outage_is_another_alert_than_a_message(self):
        self.failed(BUG)
        waiting = self.failed(TOKEN)
        self.assertEqual(len(self.activities_of(alerts.NOT_SENT)), 2)
        self.assertEqual(len(self.activities_of(alerts.PAUSED)), 2)
        self.gateway.action_whatsapp_resume()
        self.assertFalse(self.activities_of(alerts.PAUSED))
        self.assertEqual(len(self.activities_of(alerts.NOT_SENT)), 2)
        self.send_due()
        self.assertEqual(waiting.state, "sent")

    @mute_logger(ALERT)
    def test_what_fails_for_the_account_later_stops_the_number(self):
        row = self.answer(self.channel, "Hello")
        self.send_due()
        self.status(row, "failed", errors=[{"code": 131042, "title": "x"}])
        self.assertEqual(row.state, "failed")
        self.assertIn("payment", self.gateway.whatsapp_pause_reason)
        self.assertEqual(self.activities_of(alerts.PAUSED).user_id, self.admins)

    def test_nobody_is_alerted_of_what_only_the_salesperson_can_mend(self):
        row = self.failed()
        self.assertFalse(row.activity_ids)
        self.assertIn("cannot be reached", self.delivery_of(row)["reason"])

    # ------------------------------------------------------------- decisions

    def test_the_chat_offers_what_can_be_done(self):
        row = self.failed()
        self.assertEqual(
            self.delivery_of(row)["decisions"], ["retry", "edit", "cancel"]
        )
        message = row.message_id.with_user(self.owner)
        message.action_whatsapp_decide("retry")
        self.send_due()
        self.assertEqual(row.state, "sent")
        self.assertEqual(self.delivery_of(row)["decisions"], [])
        with self.assertRaisesRegex(UserError, "meanwhile"):
            message.action_whatsapp_decide("cancel")
        with self.assertRaises(UserError):
            message.action_whatsapp_decide("unlink")

    def test_a_colleague_decides_nothing(self):
        row = self.failed()
        colleague = (self.users - self.owner)[:1]
        with self.assertRaises(AccessError):
            row.with_user(colleague).action_retry()
        with self.assertRaises(AccessError):
            row.message_id.with_user(colleague).action_whatsapp_decide("retry")
        self.assertEqual(row.state, "failed")

    def test_many_are_sent_again_or_given_up_at_once(self):
        rows = self.failed() + self.failed() + self.failed()
        rows[:2].with_user(self.owner).action_retry()
        rows[2].with_user(self.owner).action_cancel()
        self.send_due()
        self.assertEqual(rows.mapped("state"), ["sent", "sent", "canceled"])
        shown = rows.notification_id.mapped("notification_status")
        self.assertEqual(shown, ["sent", "sent", "canceled"])
        with self.assertRaisesRegex(UserError, "nothing has failed"):
            rows.action_retry()

    def test_an_edited_message_is_sent_with_its_new_text(self):
        row = self.failed(body="The prise is 5")
        action = row.with_user(self.owner).action_edit()
        self.assertEqual(action["context"]["default_body"], "The prise is 5")
        wizard = Form(
            self.env[action["res_model"]]
            .with_user(self.owner)
            .with_context(**action["context"])
        )
        wizard.body = "The price is 5\nand that is all"
        wizard.save().action_send()
        self.send_due()
        self.assertEqual(row.state, "sent")
        self.assertEqual(
            self.meta.sent[-1]["text"]["body"], "The price is 5\nand that is all"
        )
        self.assertIn("The price is 5", row.message_id.body)

    def test_the_pencil_of_the_chat_edits_what_was_not_sent_only(self):
        row = self.failed(body="Prise")
        channel = self.channel.with_user(self.owner)
        message = row.message_id.with_user(self.owner).sudo()
        channel._message_update_content(message, body="Price", attachment_ids=[])
        self.send_due()
        self.assertEqual(self.meta.sent[-1]["text"]["body"], "Price")
        with self.assertRaisesRegex(UserError, "as it was sent"):
            channel._message_update_content(message, body="Other", attachment_ids=[])
        with self.assertRaisesRegex(UserError, "as it was sent"):
            channel._message_update_content(message, body="", attachment_ids=[])
        row.unlink()  # as after the retention
        with self.assertRaisesRegex(UserError, "as it was sent"):
            channel._message_update_content(message, body="Other", attachment_ids=[])

    def edit(self, rows, body, files=None):
        """Change what rows are of as Odoo's pencil does; return the rows of it."""
        message = rows.message_id.with_user(self.owner).sudo()
        files = message.attachment_ids if files is None else files
        self.channel.with_user(self.owner)._message_update_content(
            message, body=body, attachment_ids=files.ids
        )
        self.send_due()
        rows = self.env["whatsapp.message.queue"].search(
            [("message_id", "=", message.id)]
        )
        return rows.sorted("id")

    def file(self, name="roof.png", mimetype="image/png"):
        out = io.BytesIO()
        Image.new("RGB", (2, 2)).save(out, "PNG")
        content = out.getvalue() if mimetype == "image/png" else b"%PDF-1.4"
        files = self.env["ir.attachment"].with_user(self.owner)
        return files.create({"name": name, "raw": content, "mimetype": mimetype})

    def test_a_text_that_is_added_to_a_picture_is_its_caption(self):
        row = self.answer(self.channel, "", attachment_ids=self.file().ids)
        self.assertNotIn("caption", row.payload["image"])
        rows = self.edit(row, "My roof")
        self.assertEqual((rows, rows.state), (row, "sent"))
        [sent] = self.meta.sent
        self.assertEqual(sent["image"]["caption"], "My roof")
        with self.assertRaisesRegex(UserError, "as it was sent"):
            self.edit(row, "Another roof")

    def test_the_caption_is_changed_and_taken_back(self):
        for body, caption in (("Our roof", "Our roof"), ("", None)):
            self.meta.answers = [UNREACHABLE]
            row = self.answer(self.channel, "My roof", attachment_ids=self.file().ids)
            self.send_due()
            self.assertEqual(row.state, "failed")
            self.assertEqual(self.edit(row, body), row)
            self.assertEqual(self.meta.sent[-1]["image"].get("caption"), caption)

    def test_a_file_that_is_added_leaves_and_takes_the_text_along(self):
        self.meta.answers = [UNREACHABLE]
        row = self.failed(body="My roof")
        more = self.file() | self.file("plan.pdf", "application/pdf")
        rows = self.edit(row, "My roof", files=more)
        self.assertEqual(rows.mapped("state"), ["canceled", "sent", "sent"])
        picture, plan = self.meta.sent[-2:]
        self.assertNotIn("caption", picture["image"])
        self.assertEqual(plan["document"]["caption"], "My roof")
        self.assertEqual(rows.notification_id.notification_status, "sent")

    def test_a_text_that_is_too_long_for_a_caption_follows_its_picture(self):
        row = self.answer(
            self.channel,
            "My roof",
            attachment_ids=self.file().ids,
            parent_id=self.channel.message_ids[-1:].id,
        )
        quoted = row.payload["context"]
        rows = self.edit(row, "x" * 1025)
        self.assertEqual(rows.mapped("state"), ["sent", "sent"])
        picture, text = self.meta.sent
        self.assertNotIn("caption", picture["image"])
        self.assertEqual(picture["context"], quoted)
        self.assertEqual(text["text"]["body"], "x" * 1025)

    def test_nothing_is_added_to_what_left_in_part(self):
        rows = self.answer(self.channel, "x" * 1025, attachment_ids=self.file().ids)
        self.send_due()
        self.status(rows[1], "failed", errors=[{"code": 131026, "title": "x"}])
        self.assertEqual(rows.mapped("state"), ["sent", "failed"])
        both = rows.message_id.attachment_ids | self.file("floor.png")
        with self.assertRaisesRegex(UserError, "as it was sent"):
            self.edit(rows, "Shorter", files=both)
        self.edit(rows, "Shorter")
        self.assertEqual(self.meta.sent[-1]["text"]["body"], "Shorter")

    def test_the_pencil_changes_no_template(self):
        template = self.template("Hello {{1}}")
        [variable] = template._whatsapp_variables()
        row = template._whatsapp_send(self.channel, {variable: "Ana"})
        with self.assertRaisesRegex(UserError, "template"):
            self.edit(row, "Hello Eva")
        self.assertIn("Hello Ana", row.message_id.body)

    def test_a_dismissed_failure_is_given_up(self):
        row, other = self.failed(), self.failed()
        row.message_id.with_user(self.owner).action_whatsapp_dismiss()
        self.assertEqual((row.state, other.state), ("canceled", "failed"))
        self.assertEqual(row.notification_id.notification_status, "canceled")
        message = other.message_id
        other.unlink()  # as if it were OCA's
        message.with_user(self.owner).action_whatsapp_dismiss()
        notice = message.notification_ids.filtered("gateway_channel_id")
        self.assertEqual(notice.notification_status, "canceled")
        colleague = (self.users - self.owner)[:1]
        with self.assertRaises(AccessError):
            message.with_user(colleague).action_whatsapp_dismiss()

    def test_what_was_given_up_can_be_removed(self):
        row = self.failed()
        row.with_user(self.owner).action_cancel()
        self.edit(row, "", files=self.env["ir.attachment"])
        self.assertEqual(row.state, "canceled")
        self.assertNotIn("Hello", row.message_id.body)

    def test_a_failed_message_that_is_removed_is_given_up(self):
        row = self.failed()
        self.channel.with_user(self.owner)._message_update_content(
            row.message_id.with_user(self.owner).sudo(), body="", attachment_ids=[]
        )
        self.assertEqual(row.state, "canceled")

    def test_what_is_edited_too_late_says_so(self):
        row = self.failed()
        self.channel.whatsapp_last_customer_date -= timedelta(hours=25)
        wizard = self.env["whatsapp.edit.message"].with_user(self.owner)
        wizard = wizard.create({"row_id": row.id, "body": "Hello again"})
        with self.assertRaisesRegex(UserError, "template"):
            wizard.action_send()

    def test_a_template_is_edited_by_its_dialog(self):
        template = self.template("Hello {{1}}")
        self.meta.answers = [(400, {"error": {"code": 132000, "message": "x"}})]
        [variable] = template._whatsapp_variables()
        row = template._whatsapp_send(self.channel, {variable: "Ana"})
        self.send_due()
        action = row.with_user(self.owner).action_edit()
        wizards = self.env[action["res_model"]].with_user(self.owner)
        wizard = wizards.with_context(**action["context"]).create({})
        self.assertEqual(wizard.template_id, template)
        wizard.line_ids.value = "Eva"
        wizard.action_send()
        self.send_due()
        [parameter] = self.meta.sent[-1]["template"]["components"][0]["parameters"]
        self.assertEqual((row.state, parameter["text"]), ("canceled", "Eva"))

    def test_a_file_cannot_be_edited(self):
        file = self.env["ir.attachment"].with_user(self.owner)
        file = file.create({"name": "offer.pdf", "raw": b"%PDF-1.4"})
        file.sudo().mimetype = "application/pdf"
        self.meta.answers = [UNREACHABLE]
        rows = self.answer(self.channel, "", attachment_ids=file.ids)
        self.send_due()
        self.assertEqual(rows.mapped("type"), ["document"])
        with self.assertRaisesRegex(UserError, "Only texts and templates"):
            rows.action_edit()

    # ------------------------------------------------------------- questions

    def perhaps(self, minutes=11, body="Hello"):
        """Return the row of a message whose answer was lost."""
        self.meta.answers = [requests.ReadTimeout("no answer")]
        row = self.answer(self.channel, body)
        self.send_due()
        row.uncertain_since = fields.Datetime.now() - timedelta(minutes=minutes)
        self.env.flush_all()
        self.env["whatsapp.message.queue"]._cron_retry_failed_messages()
        self.env.invalidate_all()
        return row

    def test_who_wrote_is_asked_about_what_perhaps_arrived(self):
        early = self.perhaps(minutes=9)
        self.assertFalse(early.activity_ids)
        row = self.perhaps(body="Again")
        self.assertEqual(row.activity_ids.user_id, self.owner)
        self.assertEqual(
            self.delivery_of(row)["decisions"], ["retry", "leave", "cancel"]
        )
        with self.assertRaisesRegex(UserError, "sent, perhaps"):
            row.action_edit()
        row.message_id.with_user(self.owner).action_whatsapp_decide("leave")
        self.assertFalse(row.activity_ids)
        self.env["whatsapp.message.queue"]._ask_about_uncertain()
        self.assertFalse(row.activity_ids, "asked once")
        self.assertEqual(row.state, "uncertain", "which stays the truth")
        self.status(row, "delivered", id="wamid.late")
        self.assertEqual((row.state, row.delivery), ("sent", "delivered"))

    def test_a_person_has_one_question_at_a_time(self):
        rows = self.perhaps() + self.perhaps() + self.perhaps()
        self.assertEqual(len(rows.activity_ids), 1)
        self.status(rows[0], "sent", id="wamid.late")
        self.assertFalse(rows.activity_ids, "its status has settled it")
        rows._ask_about_uncertain()
        self.assertEqual(len(rows.activity_ids), 1)
        self.assertEqual(rows.activity_ids.res_id, rows[1].id)

    def test_without_an_author_the_salesperson_is_asked(self):
        row = self.perhaps()
        row.activity_ids.unlink()
        row.message_id.author_id = self.env.ref("base.partner_root")
        row._ask_about_uncertain()
        self.assertEqual(row.activity_ids.user_id, self.owner)
        row.activity_ids.unlink()
        self.channel.lead_id.user_id = False
        row._ask_about_uncertain()
        self.assertEqual(row.activity_ids.user_id, self.admins)

    def test_a_person_sends_it_again(self):
        row = self.perhaps()
        row.with_user(self.owner).action_retry()
        self.assertFalse(row.activity_ids)
        self.send_due()
        self.assertEqual((row.state, len(self.meta.sent)), ("sent", 2))


class TestOcaComposer(WhatsappCase):
    """OCA's dialog beside each phone number."""

    def set_scene(self):
        super().set_scene()
        self.lead = self.env["crm.lead"].create(
            {"name": "Ana", "phone": "+52 55 1234 5678", "user_id": self.sofia.id}
        )

    def composer(self, record=None, field="phone", **values):
        record = record or self.lead
        model = self.env["whatsapp.composer"].with_user(self.sofia)
        return model.create(
            {
                "res_model": record._name,
                "res_id": record.id,
                "number_field_name": field,
                "gateway_id": self.gateway.id,
                **values,
            }
        )

    def test_opening_it_makes_nothing(self):
        before = self.env["discuss.channel"].search_count([])
        form = Form(
            self.env["whatsapp.composer"]
            .with_user(self.sofia)
            .with_context(
                default_res_model="crm.lead",
                default_res_id=self.lead.id,
                default_number_field_name="phone",
                default_gateway_id=self.gateway.id,
            )
        )
        self.assertTrue(form.is_required_template)
        self.assertEqual(self.env["discuss.channel"].search_count([]), before)
        self.assertFalse(self.env["res.partner.gateway.channel"].search([]))

    def test_a_template_is_sent_to_a_lead_without_contact(self):
        template = self.template("Hello {{1}}")
        template.variable_ids.field_name = "name"
        wizard = self.composer(template_id=template.id)
        wizard.onchange_template_id()
        self.assertEqual(wizard.body.strip(), "Hello Ana")
        wizard.action_send_whatsapp()
        self.send_due()
        [sent] = self.meta.sent
        self.assertEqual((sent["to"], sent["type"]), ("+525512345678", "template"))
        channel = self.lead.whatsapp_channel_ids
        self.assertEqual(len(channel), 1)
        self.assertEqual(
            self.composer().action_view_whatsapp()["params"], {"channel_id": channel.id}
        )

    def test_a_text_goes_to_the_conversation_that_is_there(self):
        channel = self.receive(self.message(content="Hi"))
        wizard = self.composer(body="Hello")
        self.assertFalse(wizard.is_required_template)
        wizard.action_send_whatsapp()
        self.send_due()
        self.assertEqual(self.meta.sent[0]["to"], "+5215512345678")
        self.assertEqual(self.lead.whatsapp_channel_ids, channel)

    def test_free_text_to_a_stranger_is_refused(self):
        with self.assertRaisesRegex(UserError, "template"):
            self.composer(body="Hello").action_send_whatsapp()
        self.assertFalse(self.meta.calls)

    def test_what_is_no_number_is_said(self):
        self.lead.phone = "later"
        with self.assertRaisesRegex(UserError, "later is no phone number"):
            self.composer(body="Hello").action_send_whatsapp()

    def test_a_contact_s_second_number_is_no_obstacle(self):
        partner = self.env["res.partner"].create(
            {"name": "Ana", "phone": "+52 55 1234 5678"}
        )
        template = self.template("Hello")
        for number in ("+52 55 1234 5678", "+34 612 345 678"):
            partner.phone = number
            wizard = self.composer(partner, template_id=template.id, body="Hello")
            wizard.action_send_whatsapp()
        self.send_due()
        self.assertEqual(
            [sent["to"] for sent in self.meta.sent], ["+525512345678", "+34612345678"]
        )


class TestNamedVariables(WhatsappCase):
    def test_a_field_fills_a_named_variable(self):
        template = self.template(
            "Hello {{first_name}}, your city is {{city}}", header="For {{first_name}}"
        )
        rows = template.variable_ids
        self.assertEqual(
            sorted(rows.mapped(lambda row: (row.line_type, row.name))),
            [
                ("body", "{{city}}"),
                ("body", "{{first_name}}"),
                ("header", "{{first_name}}"),
            ],
        )
        for row in rows:
            row.field_name = "city" if "city" in row.name else "contact_name"
        lead = self.env["crm.lead"].create(
            {
                "name": "x",
                "contact_name": "Ana",
                "city": "Puebla",
                "phone": "+525512345678",
            }
        )
        action = self.env["ir.actions.server"].create(
            {
                "name": "Greet",
                "model_id": self.env.ref("crm.model_crm_lead").id,
                "state": "whatsapp",
                "whatsapp_gateway_id": self.gateway.id,
                "whatsapp_template_id": template.id,
            }
        )
        action.with_context(active_model="crm.lead", active_id=lead.id).run()
        self.send_due()
        header, body = self.meta.sent[0]["template"]["components"]
        self.assertEqual(
            {p["parameter_name"]: p["text"] for p in body["parameters"]},
            {"first_name": "Ana", "city": "Puebla"},
        )
        self.assertEqual(header["parameters"][0]["text"], "Ana")

    def test_a_variable_that_is_gone_loses_its_field(self):
        template = self.template("Hello {{first_name}}")
        template.body = "Hello {{name}}"
        self.assertEqual(template.variable_ids.mapped("name"), ["{{name}}"])
        template.body = "Hello {{1}}"
        self.assertEqual(template.variable_ids.mapped("name"), ["{{1}}"])
