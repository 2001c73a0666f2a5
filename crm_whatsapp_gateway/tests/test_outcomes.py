# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What becomes of a message after Meta took it, or while Meta is down."""

from datetime import timedelta
from itertools import permutations

import requests
import urllib3

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from odoo.addons.mail_gateway_whatsapp_queue.models import (
    whatsapp_message_queue_alert as alerts,
)
from odoo.addons.mail_gateway_whatsapp_queue.models.mail_gateway_sending import (
    OUTAGE_AT_ONCE,
)
from odoo.addons.mail_gateway_whatsapp_queue.tools.errors import classify

from .common import ConversationCase, at

ALERT = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_message_queue_alert"
# Meta took a message, did not deliver it, and says: try again
LATE = (131000, 131016, 130429, 131056, 131057, 80007, 133004, 1, 2)
BY_ITSELF = "again by itself"
BROKEN = (503, {"error": {"code": 131016, "message": "Service unavailable"}})
UNREACHABLE = (400, {"error": {"code": 131026, "message": "x"}})


def refused():
    """Return what requests raises when nobody listens."""
    cause = urllib3.exceptions.NewConnectionError(None, "refused")
    return requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/", cause))


class OutcomeCase(ConversationCase):
    def set_scene(self):
        super().set_scene()
        self.admin = new_test_user(self.env, "ines", groups="base.group_system")
        self.gateway.whatsapp_alert_user_ids = self.admin

    def sent(self, body="Hello"):
        """Return a message that Meta took."""
        row = self.answer(self.channel, body)
        self.send_due()
        self.assertEqual(row.state, "sent")
        return row

    def fails(self, row, code, **more):
        error = {"code": code, "title": "x", "message": "x"}
        self.status(row, "failed", errors=[error], **more)

    def in_minutes(self, minutes):
        """Return the context of a later moment."""
        return at(fields.Datetime.now() + timedelta(minutes=minutes))

    def people(self, count, first=0):
        """Return conversations with further people."""
        channels = self.env["discuss.channel"]
        for number in range(first, first + count):
            person = {"from": f"52155987650{number:02}", "name": f"Eva {number}"}
            channels |= self.receive(
                self.message(content="Hi", person=person), person=person
            )
        return channels

    def told(self, xmlid=alerts.PAUSED):
        return self.activities_of(xmlid)

    def said(self, row):
        """Return what the seller reads of a message, and what is offered."""
        said = row.message_id.with_user(self.owner).whatsapp_delivery()
        return said["reason"], said["decisions"]

    def others_are_reported(self):
        """Let a later message of somebody else arrive."""
        person = {"from": "5215511112222", "name": "Omar"}
        other = self.answer(
            self.receive(self.message(content="Hi", person=person), person=person)
        )
        self.send_due()
        self.status(other, "sent")


class TestLateFailures(OutcomeCase):
    def test_what_meta_took_and_did_not_deliver_is_sent_again(self):
        for code in LATE:
            with self.subTest(code=code):
                row = self.sent(f"Hello {code}")
                first, mark = row.wamid, row.uuid
                now = fields.Datetime.now()
                report = {"id": first, "biz_opaque_callback_data": mark}
                self.fails(row, code, **report)
                self.assertEqual((row.state, row.error_code), ("queued", code))
                self.assertEqual(row.notification_id.notification_status, "ready")
                self.assertGreaterEqual(
                    row.next_attempt_at, now + timedelta(seconds=59)
                )
                self.assertFalse(self.told(alerts.NOT_SENT))
                self.assertIn(BY_ITSELF, self.said(row)[0])
                # Meta repeats itself, and the first report comes last
                planned = row.next_attempt_at
                for status in ("failed", "sent"):
                    errors = [{"code": code}] if status == "failed" else []
                    self.status(row, status, errors=errors, timestamp="1", **report)
                    self.assertEqual(
                        (row.state, row.next_attempt_at), ("queued", planned), status
                    )
                count = len(self.meta.sent)
                with self.in_minutes(16):
                    self.send_due()
                self.assertEqual(row.state, "sent")
                self.assertEqual(len(self.meta.sent), count + 1)
                self.assertNotEqual(
                    self.meta.sent[-1]["biz_opaque_callback_data"], mark
                )
                self.assertEqual(self.meta.sent[-1]["text"]["body"], f"Hello {code}")
                # the old copy failed once more: that says nothing of the new one
                self.fails(row, code, timestamp="2", **report)
                self.assertEqual((row.state, row.attempts), ("sent", 2))
                self.assertNotEqual(row.wamid, first)

    def test_a_message_that_arrived_is_not_sent_again(self):
        for reports in permutations(("failed", "delivered")):
            row = self.sent()
            names = {"id": row.wamid, "biz_opaque_callback_data": row.uuid}
            for report in reports:
                self.status(row, report, errors=[{"code": 131000}], **names)
            self.assertEqual((row.state, row.delivery), ("sent", "delivered"))
            self.assertEqual(
                row.notification_id.notification_status, "whatsapp_delivered"
            )
            count = len(self.meta.sent)
            with self.in_minutes(16):
                self.send_due()
            self.assertEqual(len(self.meta.sent), count)

    @mute_logger(ALERT)
    def test_the_last_failure_is_told_however_late_it_comes(self):
        row = self.sent()
        for minutes in (1, 5, 15):
            self.fails(row, 131000)
            self.assertEqual(row.state, "queued")
            with self.in_minutes(minutes + 1):
                self.send_due()
        self.assertEqual((row.state, row.attempts), ("sent", 4))
        self.fails(row, 131000)
        self.assertEqual((row.state, row.delivery), ("failed", "failed"))
        self.assertEqual(self.told(alerts.NOT_SENT).user_id, self.admin)
        reason, decisions = self.said(row)
        self.assertIn("Send it again later", reason)
        self.assertEqual(decisions, ["retry", "edit", "cancel"])
        self.assertEqual(row.notification_id.failure_reason, row.error_text)
        self.assertEqual(row.notification_id.notification_status, "exception")

    @mute_logger(ALERT)
    def test_a_code_that_nobody_knows_is_told(self):
        row = self.sent()
        self.fails(row, 999999)
        self.assertEqual(row.state, "failed")
        self.assertEqual(self.told(alerts.NOT_SENT).user_id, self.admin)
        self.assertNotIn(BY_ITSELF, self.said(row)[0])

    def test_a_file_and_a_template_are_sent_again_as_well(self):
        file = self.env["ir.attachment"].with_user(self.owner)
        file = file.create(
            {"name": "a.pdf", "raw": b"%PDF-1.4", "mimetype": "application/pdf"}
        )
        [document] = self.answer(self.channel, "", attachment_ids=file.ids)
        template = self.template("Hello {{1}}")
        [variable] = template._whatsapp_variables()
        filled = template._whatsapp_send(self.channel, {variable: "Ana"})
        self.send_due()
        for row in document | filled:
            self.fails(row, 131016)
        with self.in_minutes(2):
            self.send_due()
        self.assertEqual((document | filled).mapped("state"), ["sent", "sent"])
        kinds = [sent["type"] for sent in self.meta.sent]
        self.assertEqual(sorted(kinds), sorted(["document", "template"] * 2))
        uploads = [path for _m, path, _json in self.meta.calls if "media" in path]
        self.assertEqual(len(uploads), 2)

    def test_a_late_failure_outside_of_the_window_is_not_sent_again(self):
        row = self.sent()
        count = len(self.meta.calls)
        self.fails(row, 131000)
        with self.in_minutes(25 * 60):
            self.send_due()
            self.assertEqual(row.state, "failed")
            self.assertIn("template", self.said(row)[0])
            self.assertEqual(self.said(row)[1], ["template", "cancel"])
        self.assertEqual(len(self.meta.calls), count)

    # ------------------------------------------------------------- window

    def test_meta_closes_the_window_until_the_customer_writes(self):
        for minutes, late in enumerate((False, True), start=1):
            with self.subTest(late=late), self.in_minutes(minutes):
                if not late:
                    self.meta.answers = [(400, {"error": {"code": 131047}})]
                row = self.answer(self.channel, "Hello")
                self.send_due()
                if late:
                    self.fails(row, 131047)
                self.assertEqual(row.state, "failed")
                self.assertFalse(self.channel.whatsapp_window_open)
                values = self.channel._whatsapp_window_values()
                closes = values["whatsapp_window_closes"]
                self.assertLessEqual(
                    closes, fields.Datetime.to_string(fields.Datetime.now())
                )
                self.assertEqual(self.said(row)[1], ["template", "cancel"])
                with self.assertRaisesRegex(UserError, "template"):
                    with self.env.cr.savepoint():
                        self.answer(self.channel, "Still there?")
                self.now += 5
                self.receive(self.message(content="Yes?"))
                self.assertTrue(self.channel.whatsapp_window_open)
                self.assertFalse(self.channel.whatsapp_window_closed_at)

    def test_a_failure_from_before_the_customer_wrote_closes_nothing(self):
        row = self.sent()
        self.now += 60
        self.receive(self.message(content="And now?"))
        self.fails(row, 131047)
        self.assertEqual(row.state, "failed")
        self.assertTrue(self.channel.whatsapp_window_open)


class TestCopies(OutcomeCase):
    """Meta may have taken what it answered with an error of its own."""

    def test_without_other_statuses_it_leaves_twice_at_most(self):
        self.meta.answers = [BROKEN] * 9
        row = self.answer(self.channel, "Hello")
        self.send_due()
        self.assertEqual(row.state, "queued")
        self.assertIn("may have arrived", self.said(row)[0])
        self.assertNotIn("edit", self.said(row)[1])
        for minutes in (2, 8, 30, 60):
            with self.in_minutes(minutes):
                self.send_due()
                row._settle_doubtful()
        self.assertEqual((row.state, len(self.meta.sent)), ("uncertain", 2))
        self.assertEqual(row.notification_id.notification_status, "pending")
        self.assertIn("may have arrived", self.said(row)[0])
        self.assertNotIn(BY_ITSELF, self.said(row)[0])
        with self.in_minutes(60):
            row._ask_about_uncertain()
        self.assertEqual(row.activity_ids.user_id, self.owner)

    def test_a_server_error_with_a_code_of_the_rate_is_a_server_error(self):
        error = {"error": {"code": 130429, "message": "x"}}
        self.meta.answers = [(503, error)] * 9
        row = self.answer(self.channel, "Hello")
        for minutes in (0, 1, 2, 8, 30, 60):
            with self.in_minutes(minutes):
                self.send_due()
        self.assertEqual((row.state, len(self.meta.sent)), ("uncertain", 2))

    def test_what_was_deleted_while_it_was_sent_is_not_sent_again(self):
        row = self.answer(self.channel, "Hello")
        row._claim_each(self.channel.ids)
        self.assertEqual(row.state, "sending")
        row.message_id.sudo().unlink()
        row._record(classify(*BROKEN))
        with self.in_minutes(2):
            self.send_due()
        self.assertEqual((row.state, self.meta.sent), ("canceled", []))

    @mute_logger(ALERT)
    def test_statuses_of_others_show_that_it_was_not_taken(self):
        row = self.answer(self.channel, "Hello")
        for minutes in (0, 2, 8, 30):
            with self.in_minutes(minutes):
                self.meta.answers = [BROKEN]
                self.send_due()
                self.meta.answers = []
                self.others_are_reported()
        texts = [sent["text"]["body"] for sent in self.meta.sent]
        self.assertEqual(texts.count("Hello"), 3 + 4, "4 of others")
        self.assertEqual((row.state, row.attempts), ("failed", 3))
        self.assertNotIn(BY_ITSELF, self.said(row)[0])
        self.assertIn("may have arrived", self.said(row)[0])
        self.assertEqual(self.told(alerts.NOT_SENT).user_id, self.admin)

    def test_what_waits_for_a_person_goes_on_when_others_are_reported(self):
        self.meta.answers = [BROKEN] * 2
        row = self.answer(self.channel, "Hello")
        for minutes in (0, 2, 8):
            with self.in_minutes(minutes):
                self.send_due()
        self.assertEqual(row.state, "uncertain")
        with self.in_minutes(9):
            self.others_are_reported()
            row._settle_doubtful()
            self.assertEqual(row.state, "queued")
            self.send_due()
        self.assertEqual(row.state, "sent")

    def test_a_late_status_of_the_first_copy_stops_the_others(self):
        self.meta.answers = [BROKEN] * 2
        row = self.answer(self.channel, "Hello")
        self.send_due()
        with self.in_minutes(2):
            self.send_due()
        self.status(row, "sent", id="wamid.first")
        self.assertEqual((row.state, row.wamid), ("sent", "wamid.first"))
        with self.in_minutes(30):
            self.send_due()
        self.assertEqual(len(self.meta.sent), 2)

    def test_a_failure_of_the_first_copy_is_none_of_the_second(self):
        self.meta.answers = [BROKEN]
        row = self.answer(self.channel, "Hello")
        self.send_due()
        with self.in_minutes(2):
            self.send_due()
        self.assertEqual(row.state, "sent")
        wamid = row.wamid
        self.fails(row, 131026, id="wamid.first")
        self.assertEqual((row.state, row.wamid), ("sent", wamid))
        self.status(row, "delivered", id="wamid.first", timestamp="5")
        self.assertEqual((row.state, row.delivery), ("sent", "delivered"))

    def test_a_refusal_is_no_doubt(self):
        self.meta.answers = [(400, BROKEN[1])] * 4
        row = self.answer(self.channel, "Hello")
        for minutes in (0, 2, 8, 30):
            self.assertNotIn("may have arrived", self.said(row)[0])
            with self.in_minutes(minutes), mute_logger(ALERT):
                self.send_due()
        self.assertEqual((row.state, len(self.meta.sent)), ("failed", 4))
        self.assertEqual(self.said(row)[1], ["retry", "edit", "cancel"])

    # ------------------------------------------------------------- by a person

    def uncertain(self):
        self.meta.answers = [requests.ReadTimeout("no answer")]
        row = self.answer(self.channel, "Hello")
        self.send_due()
        self.assertEqual(row.state, "uncertain")
        return row

    def again(self, row):
        """Let a person send a message again; return how statuses name the first."""
        first = {"id": "wamid.first", "biz_opaque_callback_data": row.uuid}
        with self.in_minutes(11):
            row.with_user(self.owner).action_retry()
            self.send_due()
        self.assertEqual((row.state, len(self.meta.sent)), ("sent", 2))
        return first

    def test_the_newest_copy_tells_the_truth(self):
        row = self.uncertain()
        first = self.again(row)
        wamid = row.wamid
        self.fails(row, 131026, **first)
        self.assertEqual((row.state, row.wamid), ("sent", wamid))
        self.assertEqual(row.notification_id.notification_status, "sent")
        self.fails(row, 131026)
        self.assertEqual((row.state, row.delivery), ("failed", "failed"))

    def test_one_copy_that_arrived_is_enough(self):
        row = self.uncertain()
        first = self.again(row)
        self.status(row, "delivered", **first)
        self.assertEqual((row.state, row.delivery), ("sent", "delivered"))
        self.fails(row, 131000)
        self.assertEqual((row.state, row.delivery), ("sent", "delivered"))
        self.assertEqual(row.notification_id.notification_status, "whatsapp_delivered")

    def test_a_copy_that_arrived_stops_the_next_one(self):
        row = self.uncertain()
        first = {"id": "wamid.first", "biz_opaque_callback_data": row.uuid}
        with self.in_minutes(11):
            row.with_user(self.owner).action_retry()
            self.status(row, "sent", **first)
            self.send_due()
        self.assertEqual((row.state, row.wamid), ("sent", "wamid.first"))
        self.assertEqual(len(self.meta.sent), 1)

    def test_a_status_that_nobody_has_read_yet_stops_the_next_copy(self):
        row = self.uncertain()
        report = {
            "id": "wamid.first",
            "status": "sent",
            "timestamp": str(self.now),
            "recipient_id": self.channel.gateway_channel_token,
            "biz_opaque_callback_data": row.uuid,
        }
        with self.in_minutes(11):
            row.with_user(self.owner).action_retry()
            self.post(self.delivery(statuses=[report]))
            self.send_due()
            self.assertEqual((row.state, len(self.meta.sent)), ("queued", 1))
            self.drain()
            self.assertEqual(row.state, "sent")
            self.send_due()
        self.assertEqual(len(self.meta.sent), 1)

    def test_again_is_offered_when_no_status_is_expected_any_more(self):
        row = self.uncertain()
        message = row.message_id.with_user(self.owner)
        for minutes, offered in ((0, False), (9, False), (11, True)):
            with self.in_minutes(minutes):
                reason, decisions = self.said(row)
                self.assertEqual("retry" in decisions, offered, minutes)
                self.assertIn("arrive twice", reason)
                self.assertNotIn("edit", decisions)
                if not offered:
                    for call in (
                        row.with_user(self.owner).action_retry,
                        lambda: message.action_whatsapp_decide("retry"),
                    ):
                        with self.assertRaisesRegex(UserError, "just be arriving"):
                            call()
        self.assertEqual((row.state, len(self.meta.sent)), ("uncertain", 1))


class TestDecisions(OutcomeCase):
    """What is offered works, and what is said is true."""

    def test_again_outside_of_the_window_is_refused_at_once(self):
        self.meta.answers = [UNREACHABLE]
        row = self.answer(self.channel, "Hello")
        self.send_due()
        self.channel.whatsapp_last_customer_date -= timedelta(hours=25)
        self.env.flush_all()
        message = row.message_id.with_user(self.owner)
        self.assertEqual(self.said(row)[1], ["template", "cancel"])
        for call in (
            row.with_user(self.owner).action_retry,
            lambda: message.action_whatsapp_decide("retry"),
            lambda: message.action_whatsapp_decide("edit"),
        ):
            with self.assertRaisesRegex(UserError, "24 hours.*template"):
                call()
        self.send_due()
        self.assertEqual((row.state, len(self.meta.sent)), ("failed", 1))
        action = message.action_whatsapp_decide("template")
        wizard = (
            self.env[action["res_model"]]
            .with_user(self.owner)
            .with_context(**action["context"])
            .create({"template_id": self.template("Hello").id})
        )
        wizard.action_send()
        self.send_due()
        self.assertEqual(self.meta.sent[-1]["type"], "template")
        self.assertEqual(row.state, "canceled")

    def test_of_several_those_that_may_be_sent_are(self):
        [other] = self.people(1)
        self.meta.answers = [UNREACHABLE] * 2
        rows = self.answer(self.channel) + self.answer(other)
        self.send_due()
        self.channel.whatsapp_last_customer_date -= timedelta(hours=25)
        self.env.flush_all()
        said = rows.action_retry()
        self.assertIn("24 hours", said["params"]["message"])
        self.assertEqual(rows.mapped("state"), ["failed", "queued"])

    @mute_logger(ALERT)
    def test_what_waits_for_a_paused_number_can_be_given_up(self):
        self.meta.answers = [(401, {"error": {"code": 190}})]
        rows = self.answer(self.channel, "One") + self.answer(self.channel, "Two")
        self.send_due()
        for row in rows:
            reason, decisions = self.said(row)
            self.assertIn("until an administrator", reason)
            self.assertIn("access token", reason)
            self.assertIn("cancel", decisions)
            self.assertNotIn("retry", decisions)
            message = row.message_id.with_user(self.owner)
            with self.assertRaisesRegex(UserError, "until an administrator"):
                message.action_whatsapp_decide("retry")
        message.action_whatsapp_decide("cancel")
        self.assertEqual(rows.mapped("state"), ["queued", "canceled"])
        with self.assertRaisesRegex(UserError, "given up"):
            message.action_whatsapp_decide("edit")
        self.gateway.token = "EAAnew"
        self.send_due()
        self.assertEqual(rows.mapped("state"), ["sent", "canceled"])
        self.assertEqual(
            [sent["text"]["body"] for sent in self.meta.sent], ["One", "One"]
        )


class TestOutage(OutcomeCase):
    """Meta is down: nothing is burnt, one is told, and it goes on by itself."""

    def set_scene(self):
        super().set_scene()
        self.channels = self.channel | self.people(5)

    def setUp(self):
        super().setUp()
        self.down = BROKEN
        self.only_messages = False
        request = self.meta.request

        def answer(method, url, **kwargs):
            if self.down and not (self.only_messages and method == "GET"):
                is_error = isinstance(self.down, Exception)
                self.meta.answers = (
                    [type(self.down)(*self.down.args)] if (is_error) else [self.down]
                )
            return request(method, url, **kwargs)

        self.meta.request = answer

    def only_cursed_fail(self):
        """Let Meta fail in the messages that say 'cursed', and in no others."""
        self.down = None
        request = self.meta.request

        def answer(method, url, **kwargs):
            if "cursed" in str(kwargs.get("json")):
                self.meta.answers = [(500, {"error": {"code": 131000}})]
            return request(method, url, **kwargs)

        self.meta.request = answer

    def hours(self, hours, minutes=0):
        """Let the cron run each minute, as long as the attempts of a message take.

        From then on only a pause is long: five minutes are enough.
        """
        start, minutes = fields.Datetime.now(), hours * 60 + minutes
        with at(start):  # once, or each minute looks through all modules of Python
            for minute in (*range(min(minutes, 30)), *range(30, minutes, 5)):
                with at(start + timedelta(minutes=minute)):
                    self.send_due()
                    self.env["whatsapp.message.queue"]._settle_doubtful()
                    self.env["whatsapp.message.queue"]._ask_about_uncertain()
        return at(start + timedelta(minutes=minutes))

    @mute_logger(ALERT)
    def test_an_outage_of_three_hours_ends_by_itself(self):
        # without a pause the last attempt would be after 21 minutes
        for down, minutes in (
            *((BROKEN, 180), ((503, b"busy"), 40)),
            *((refused(), 40), ((500, b""), 40)),
        ):
            with self.subTest(down=str(down)):
                self.down = down
                self.meta.calls.clear()
                rows = self.env["whatsapp.message.queue"]
                for channel in self.channels:
                    rows += self.answer(channel, f"To {channel.id}")
                later = self.hours(0, minutes)
                self.assertEqual(set(rows.mapped("state")), {"queued"})
                self.assertTrue(self.gateway.whatsapp_outage)
                self.assertEqual(self.told().user_id, self.admin)
                self.assertEqual(len(self.told()), 1)
                self.assertFalse(self.told(alerts.NOT_SENT))
                self.assertFalse(self.told(alerts.PERHAPS))
                self.assertIn("servers do not answer", self.told().note)
                self.assertIn("servers do not answer", self.said(rows[0])[0])
                self.assertLess(len(self.meta.calls), 60)
                self.down = None
                with later:
                    self.hours(0, 15)
                self.assertEqual(set(rows.mapped("state")), {"sent"})
                self.assertFalse(self.gateway.whatsapp_pause_reason)
                self.assertFalse(self.gateway.whatsapp_outage)
                self.assertFalse(self.told())
                texts = [sent["text"]["body"] for sent in self.meta.sent]
                if not isinstance(down, Exception):
                    for channel in self.channels:
                        self.assertLessEqual(texts.count(f"To {channel.id}"), 2)

    @mute_logger(ALERT)
    def test_a_file_that_cannot_be_uploaded_is_no_outage(self):
        self.down = None
        request = self.meta.request

        def answer(method, url, **kwargs):
            if url.endswith("/media"):
                raise refused()
            return request(method, url, **kwargs)

        self.meta.request = answer
        files = self.env["ir.attachment"].with_user(self.owner)
        file = files.create(
            {"name": "a.pdf", "raw": b"%PDF-1.4", "mimetype": "application/pdf"}
        )
        [row] = self.answer(self.channel, "", attachment_ids=file.ids)
        self.hours(0, 40)
        self.assertEqual((row.state, row.attempts), ("failed", 4))
        self.assertFalse(self.gateway.whatsapp_pause_reason)

    @mute_logger(ALERT)
    def test_who_resumes_is_not_paused_by_what_failed_before(self):
        rows = self.env["whatsapp.message.queue"]
        for channel in self.channels:
            rows += self.answer(channel, "Hello")
        with self.hours(0, 3):
            self.assertTrue(self.gateway.whatsapp_outage)
            self.down = None
            self.gateway.action_whatsapp_resume()
            self.assertFalse(self.gateway._whatsapp_judge_outage())
            self.send_due()
            self.assertFalse(self.gateway.whatsapp_pause_reason)

    @mute_logger(ALERT)
    def test_while_only_messages_fail_none_leaves_more_than_twice(self):
        self.only_messages = True
        rows = self.env["whatsapp.message.queue"]
        for channel in self.channels:
            rows += self.answer(channel, f"To {channel.id}")
        later = self.hours(4)
        texts = [sent["text"]["body"] for sent in self.meta.sent]
        for channel in self.channels:
            self.assertLessEqual(texts.count(f"To {channel.id}"), 2)
        self.assertLessEqual(set(rows.mapped("state")), {"queued", "uncertain"})
        self.assertFalse(self.told(alerts.NOT_SENT))
        self.down = None
        with later:
            self.hours(0, 15)
            self.others_are_reported()
            self.hours(0, 3)
        self.assertEqual(set(rows.mapped("state")), {"sent"})
        self.assertFalse(self.told(alerts.PERHAPS))

    @mute_logger(ALERT)
    def test_a_single_conversation_waits_for_a_connection_too(self):
        self.down = refused()
        row = self.answer(self.channel, "Hello")
        later = self.hours(2)
        self.assertEqual(row.state, "queued")
        self.down = None
        with later:
            self.hours(0, 15)
        self.assertEqual(row.state, "sent")

    @mute_logger(ALERT)
    def test_of_many_at_once_most_are_not_even_tried(self):
        channels = self.channels | self.people(OUTAGE_AT_ONCE + 5, first=5)
        for channel in channels:
            self.answer(channel, "Hello")
        self.send_due()
        self.assertTrue(self.gateway.whatsapp_outage)
        self.assertEqual(len(self.meta.sent), OUTAGE_AT_ONCE)

    @mute_logger(ALERT)
    def test_a_bad_moment_is_no_outage(self):
        for channel in self.channels[:4]:
            self.answer(channel, "Hello")
        self.send_due()
        self.assertEqual(len(self.meta.sent), 4)
        self.assertFalse(self.gateway.whatsapp_pause_reason)
        self.down = None
        self.answer(self.channels[4], "Hello")
        self.send_due()
        self.down = BROKEN
        with self.in_minutes(1.5):
            self.send_due()
        self.assertFalse(self.gateway.whatsapp_pause_reason)

    @mute_logger(ALERT)
    def test_one_message_that_always_fails_stops_no_other(self):
        self.only_cursed_fail()
        cursed = self.answer(self.channel, "cursed")
        start = fields.Datetime.now()
        self.enterContext(at(start))
        for minute in range(40):
            with at(start + timedelta(minutes=minute)):
                row = self.answer(self.channels[1 + minute % 5], f"At {minute}")
                for _turn in range(2):  # as whoever works on the queue
                    self.send_due()
                self.assertFalse(self.gateway.whatsapp_pause_reason)
                self.assertEqual(row.state, "sent")
                self.status(row, "sent")
        self.assertEqual((cursed.state, cursed.attempts), ("failed", 3))
        self.assertNotIn(BY_ITSELF, self.said(cursed)[0])

    @mute_logger(ALERT)
    def test_messages_that_always_fail_do_not_keep_the_number_paused(self):
        self.only_cursed_fail()
        for channel in self.channels[:3]:
            self.answer(channel, "cursed")
        self.hours(0, 2)
        self.assertTrue(self.gateway.whatsapp_outage)
        good = self.answer(self.channels[4], "good")
        with self.in_minutes(2):
            self.hours(0, 5)
        self.assertEqual(good.state, "sent")

    @mute_logger(ALERT)
    def test_what_became_too_late_says_so(self):
        template = self.template()
        rows = self.env["whatsapp.message.queue"]
        for channel in self.channels[:4]:
            rows += self.answer(channel, "Hello")
        filled = template._whatsapp_send(self.channels[4], {})
        self.hours(0, 2)
        self.assertTrue(self.gateway.whatsapp_outage)
        self.down = None
        with self.in_minutes(25 * 60):
            self.hours(0, 5)
            self.assertEqual(set(rows.mapped("state")), {"failed"})
            self.assertEqual(filled.state, "sent")
            self.assertIn("24 hours", self.said(rows[0])[0])
            self.assertEqual(self.said(rows[0])[1][-1], "cancel")

    @mute_logger(ALERT)
    def test_a_dead_token_that_shows_in_an_outage_stays(self):
        for channel in self.channels:
            self.answer(channel, "Hello")
        self.hours(0, 2)
        self.assertTrue(self.gateway.whatsapp_outage)
        self.down = (401, {"error": {"code": 190}})
        with self.in_minutes(10):
            self.send_due()
        self.assertFalse(self.gateway.whatsapp_outage)
        self.assertIn("access token", self.gateway.whatsapp_pause_reason)
        self.assertEqual(self.told().user_id, self.admin)
