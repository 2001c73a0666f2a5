# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import io
from datetime import timedelta

import requests
from markupsafe import Markup
from PIL import Image

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import mute_logger

from odoo.addons.mail_gateway_whatsapp_queue.tools.cloud_api import CloudApi, Sent
from odoo.addons.mail_gateway_whatsapp_queue.tools.errors import (
    CloudApiError,
    classify,
)

from .common import ConversationCase, at

BEA = {"from": "5215587654321", "name": "Bea", "bsuid": "MX.99"}
QUEUE = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_message_queue"


class TestOutbound(ConversationCase):
    def later(self, row, minutes):
        """Move the planned attempt into the past; check that it was planned so."""
        expected = fields.Datetime.now() + timedelta(minutes=minutes)
        self.assertAlmostEqual(
            row.next_attempt_at, expected, delta=timedelta(seconds=20)
        )
        row.next_attempt_at = fields.Datetime.now() - timedelta(seconds=1)

    def attachments(self):
        """Files belong to who uploads them."""
        return self.env["ir.attachment"].with_user(self.channel.lead_id.user_id)

    def alerts(self):
        return self.env["mail.activity"].search(
            [("res_model", "=", "whatsapp.message.queue")]
        )

    def test_an_answer_is_recorded_first_and_sent_after_the_commit(self):
        row = self.answer(self.channel, Markup("<p>It is <b>5</b> euros</p>"))
        self.assertEqual((row.state, self.meta.calls), ("queued", []))
        self.assertEqual(row.notification_id.notification_status, "ready")
        self.send_due()
        [sent] = self.meta.sent
        self.assertEqual(sent["to"], "+5215512345678")
        self.assertEqual(sent["type"], "text")
        self.assertIn("*5*", sent["text"]["body"])
        self.assertEqual(sent["biz_opaque_callback_data"], row.uuid)
        self.assertEqual((row.state, row.attempts), ("sent", 1))
        self.assertEqual(row.notification_id.notification_status, "sent")
        self.assertEqual(row.notification_id.gateway_message_id, row.wamid)
        self.send_due()
        self.assertEqual(len(self.meta.sent), 1)

    def test_the_customer_reads_what_the_seller_wrote(self):
        url = "https://ejemplo.mx/cat?a=1&b=2"
        link = Markup('<a href="%(url)s" target="_blank">%(url)s</a>') % {"url": url}
        colleague = self.users[0].partner_id
        mention = Markup(
            '<a href="https://x.example/odoo/res.partner/%(id)s" data-oe-id="%(id)s"'
            ' data-oe-model="res.partner" class="o_mail_redirect">@%(name)s</a>'
        ) % {"id": colleague.id, "name": colleague.name}
        for body, text, preview in (
            (Markup("<p>Here: %s bye</p>") % link, f"Here: {url} bye", True),
            (Markup("%s<br><br>%s") % (link, link), f"{url}\n\n{url}", True),
            (
                Markup("<ul><li>one</li><li>%s</li></ul>") % mention,
                f"- one\n- @{colleague.name}",
                False,
            ),
            ("2 < 3 & 4\n  5", "2 < 3 & 4\n  5", False),
        ):
            row = self.answer(self.channel, body)
            self.assertEqual(
                row.payload["text"], {"body": text, "preview_url": preview}
            )
            self.assertEqual(
                self.channel.whatsapp_conversation_ids.last_text, " ".join(text.split())
            )

    def test_too_long_a_text_is_refused_at_the_click_whichever_way_it_is_sent(self):
        self.assertTrue(self.answer(self.channel, "x" * 4096))
        rows = self.env["whatsapp.message.queue"].search([])
        messages = self.channel.message_ids
        owner = self.channel.lead_id.user_id
        composer = self.env["whatsapp.composer"].with_user(owner)
        lead = self.channel.lead_id
        for send in (
            lambda: self.answer(self.channel, "x" * 4097),
            lambda: composer.create(
                {
                    "res_model": lead._name,
                    "res_id": lead.id,
                    "number_field_name": "phone",
                    "gateway_id": self.gateway.id,
                    "body": "x" * 4097,
                }
            ).action_send_whatsapp(),
            lambda: self.channel.with_user(owner)._message_update_content(
                rows.message_id, body="x" * 4097
            ),
        ):
            with self.assertRaisesRegex(UserError, "4097.*4096"):
                with self.env.cr.savepoint():
                    send()
            self.env.invalidate_all()
            self.assertEqual(self.env["whatsapp.message.queue"].search([]), rows)
            self.assertEqual(self.channel.message_ids, messages)
            self.assertEqual(len(rows.payload["text"]["body"]), 4096)

    def test_a_file_and_a_text_that_is_no_caption_are_two_messages_in_order(self):
        file = self.attachments().create(
            {"name": "offer.pdf", "raw": b"%PDF-1.4", "mimetype": "application/pdf"}
        )
        rows = self.answer(self.channel, "x" * 1025, attachment_ids=file.ids)
        self.assertEqual(len(rows), 2)
        self.send_due()
        self.assertEqual(
            [sent["type"] for sent in self.meta.sent], ["document", "text"]
        )
        document = self.meta.sent[0]["document"]
        self.assertTrue(document["id"].startswith("media"))
        self.assertEqual(document["filename"], "offer.pdf")

    @mute_logger(QUEUE)
    def test_a_failure_is_tried_again_after_1_5_and_15_minutes_then_alerted(self):
        self.meta.answers = [(400, {"error": {"code": 131000, "message": "x"}})] * 4
        row = self.answer(self.channel, "Hello")
        for attempt, minutes in enumerate((1, 5, 15), start=1):
            self.send_due()
            self.assertEqual((row.state, row.attempts), ("queued", attempt))
            self.assertFalse(self.alerts())
            self.later(row, minutes)
        self.send_due()
        self.assertEqual((row.state, row.attempts), ("failed", 4))
        self.assertEqual(row.notification_id.notification_status, "exception")
        self.assertTrue(row.notification_id.failure_reason)
        self.assertEqual(self.alerts().user_id, self.env.ref("base.user_admin"))
        self.assertEqual(len(self.meta.sent), 4)

    def throttled(self, code=None, retry_after=None):
        """Return Meta's refusal of too much, as the client understands it."""
        headers = {"Retry-After": str(retry_after)} if retry_after else {}
        return classify(429, {"error": {"code": code}} if code else None, headers)

    def test_waiting_as_meta_asks_burns_no_attempt(self):
        row = self.answer(self.channel, "Hello")
        start = fields.Datetime.now()
        for hours in range(5):
            with at(start + timedelta(hours=hours)):
                row._claim_each(self.channel.ids)
                row._record(self.throttled(retry_after=3600))
                self.assertEqual((row.state, row.attempts), ("queued", 0))
                self.assertEqual(
                    row.next_attempt_at, start + timedelta(hours=hours + 1)
                )
        with at(start + timedelta(hours=5)):
            self.send_due()
        self.assertEqual((row.state, row.attempts), ("sent", 1))
        self.assertFalse(row.throttled_since)

    @mute_logger(QUEUE)
    def test_what_meta_refuses_for_a_day_is_told(self):
        row = self.answer(self.channel, "Hello")
        start = fields.Datetime.now()
        for hours, state in ((0, "queued"), (20, "queued"), (23.5, "failed")):
            with at(start + timedelta(hours=hours)):
                row.next_attempt_at = False
                row._claim_each(self.channel.ids)
                row._record(self.throttled(retry_after=3600))
                self.assertEqual(row.state, state)
        self.assertEqual(row.notification_id.notification_status, "exception")
        with at(start + timedelta(days=3)):
            self.channel.whatsapp_last_customer_date = fields.Datetime.now()
            row.action_retry()
            row._claim_each(self.channel.ids)
            row._record(self.throttled(retry_after=3600))
            self.assertEqual(row.state, "queued", "a person begins anew")

    def test_the_rate_of_the_number_lets_a_message_wait_for_its_turn_only(self):
        row = self.answer(self.channel, "Hello")
        row._claim_each(self.channel.ids)
        row._record(self.throttled(130429))
        self.assertEqual((row.state, row.attempts), ("queued", 0))
        soon = fields.Datetime.now() + timedelta(seconds=1)
        self.assertLessEqual(row.next_attempt_at, soon)

    def test_too_much_to_one_person_holds_their_conversation_only(self):
        other = self.receive(self.message(content="Hi", person=BEA), person=BEA)
        row, theirs = self.answer(self.channel, "One"), self.answer(other, "Two")
        row._claim_each(self.channel.ids)
        row._record(self.throttled(131056))
        self.send_due()
        self.assertEqual((row.state, theirs.state), ("queued", "sent"))
        wait = row.next_attempt_at - fields.Datetime.now()
        self.assertAlmostEqual(wait.total_seconds(), 6, delta=3)

    def test_a_success_on_the_retry_clears_the_error(self):
        self.meta.answers = [(500, {"error": {"code": 131000}})]
        row = self.answer(self.channel, "Hello")
        self.send_due()
        self.assertEqual(row.error_code, 131000)
        self.later(row, 1)
        self.send_due()
        self.assertEqual((row.state, row.error_text), ("sent", False))
        self.assertFalse(self.alerts())

    def test_what_cannot_succeed_is_told_at_once(self):
        self.meta.answers = [(400, {"error": {"code": 131026, "message": "x"}})]
        row = self.answer(self.channel, "Hello")
        self.send_due()
        self.assertEqual((row.state, row.attempts), ("failed", 1))
        self.assertEqual(row.notification_id.notification_status, "exception")
        self.assertFalse(self.alerts(), "nothing that an administrator could repair")

    @mute_logger(QUEUE)
    def test_a_dead_token_pauses_the_number_and_burns_nothing(self):
        self.meta.answers = [(401, {"error": {"code": 190, "message": "x"}})]
        rows = self.answer(self.channel, "One") + self.answer(self.channel, "Two")
        self.send_due()
        self.send_due()
        self.assertEqual(rows.mapped("state"), ["queued", "queued"])
        self.assertEqual(rows.mapped("attempts"), [0, 0])
        self.assertEqual(len(self.meta.sent), 1)
        self.assertEqual(len(self.alerts()), 1)
        self.assertTrue(self.gateway.whatsapp_pause_reason)
        self.gateway.token = "EAAnew"
        self.assertFalse(self.gateway.whatsapp_pause_reason)
        self.send_due()
        self.assertEqual(rows.mapped("state"), ["sent", "sent"])

    def test_a_lost_answer_is_never_sent_again_blindly(self):
        self.meta.answers = [requests.ReadTimeout("no answer")]
        row = self.answer(self.channel, "Hello")
        self.send_due()
        self.send_due()
        self.assertEqual((row.state, len(self.meta.sent)), ("uncertain", 1))
        self.assertEqual(row.notification_id.notification_status, "pending")
        self.status(row, "delivered", id="wamid.late")
        self.assertEqual((row.state, row.delivery), ("sent", "delivered"))
        self.assertEqual(row.wamid, "wamid.late")
        self.assertEqual(row.notification_id.notification_status, "whatsapp_delivered")

    def test_what_meta_took_although_it_answered_an_error_is_not_sent_again(self):
        self.meta.answers = [(500, {"error": {"code": 131000}})]
        row = self.answer(self.channel, "Hello")
        self.send_due()
        self.status(row, "delivered", id="wamid.taken")
        self.assertEqual((row.state, row.error_text), ("sent", False))
        self.assertEqual(row.notification_id.notification_status, "whatsapp_delivered")
        self.assertFalse(row.next_attempt_at)
        self.send_due()
        self.assertEqual(len(self.meta.sent), 1)

    def test_a_status_before_the_answer_leaves_an_attempt_as_well(self):
        for wamid, late in (
            ("wamid.soon", Sent("wamid.soon")),
            ("wamid.lost", CloudApiError("uncertain", reason="cut")),
        ):
            row = self.answer(self.channel, "Hello")
            row.write({"state": "sending", "attempts": 1})
            self.status(row, "read", id=wamid)
            self.assertEqual(row.state, "sent")
            row._record(late)
            self.assertEqual(
                [(one.outcome, one.uuid, one.wamid) for one in row.attempt_ids],
                [("sent", row.uuid, wamid)],
            )
            self.assertEqual((row.state, row.delivery), ("sent", "read"))

    def test_what_a_crash_left_is_uncertain_and_stops_nothing(self):
        row = self.answer(self.channel, "One")
        row.state = "sending"
        second = self.answer(self.channel, "Two")
        self.send_due()
        self.assertEqual((row.state, second.state), ("uncertain", "sent"))
        self.assertEqual(len(self.meta.sent), 1)

    def test_a_message_waits_behind_an_earlier_one(self):
        self.meta.answers = [(500, {"error": {"code": 131000}})]
        first = self.answer(self.channel, "One")
        second = self.answer(self.channel, "Two")
        self.send_due()
        self.assertEqual((first.state, second.state), ("queued", "queued"))
        self.assertEqual(len(self.meta.sent), 1)
        self.later(first, 1)
        self.send_due()
        self.assertEqual((first.state, second.state), ("sent", "sent"))

    def test_statuses_only_go_upwards(self):
        row = self.answer(self.channel, "Hello")
        self.send_due()
        for status, shown in (
            ("sent", "sent"),
            ("read", "whatsapp_read"),
            ("delivered", "whatsapp_read"),
            ("sent", "whatsapp_read"),
            ("failed", "whatsapp_read"),
        ):
            self.status(row, status)
            self.assertEqual(row.notification_id.notification_status, shown, status)
        self.assertEqual(row.delivery, "read")

    def test_a_failure_that_is_reported_later_is_shown_with_its_reason(self):
        row = self.answer(self.channel, "Hello")
        self.send_due()
        self.status(row, "failed", errors=[{"code": 131026, "title": "x"}])
        self.assertEqual((row.state, row.error_code), ("failed", 131026))
        self.assertEqual(row.notification_id.notification_status, "exception")
        self.assertEqual(row.notification_id.failure_reason, row.error_text)

    def test_a_status_before_its_message_waits(self):
        row = self.answer(self.channel, "Hello")
        early = dict(id="wamid.out1", biz_opaque_callback_data=None)
        self.status(row, "delivered", **early)
        event = self.events(type="delivered")
        self.assertEqual(event.state, "pending")
        self.send_due()
        event.next_attempt_at = fields.Datetime.now() - timedelta(seconds=1)
        self.drain()
        self.assertEqual((event.state, row.delivery), ("done", "delivered"))

    def test_outside_of_the_window_nothing_is_sent(self):
        self.channel.whatsapp_last_customer_date = fields.Datetime.now() - timedelta(
            hours=24, minutes=1
        )
        with self.assertRaisesRegex(UserError, "template"):
            self.answer(self.channel, "Hello")
        self.send_due()
        self.assertFalse(self.meta.calls)
        self.assertFalse(self.env["whatsapp.message.queue"].search([]))

    def test_our_own_message_does_not_open_the_window(self):
        before = self.channel.whatsapp_last_customer_date
        self.answer(self.channel, "Hello")
        self.assertEqual(self.channel.whatsapp_last_customer_date, before)

    def test_a_template_may_be_sent_outside_of_the_window(self):
        self.channel.whatsapp_last_customer_date = False
        template = self.env["mail.whatsapp.template"].create(
            {
                "name": "Greeting",
                "template_name": "greeting",
                "body": "We miss you",
                "category": "marketing",
                "language": "es",
                "gateway_id": self.gateway.id,
                "state": "approved",
                "model_id": self.env.ref("crm.model_crm_lead").id,
            }
        )
        channel = self.channel.with_context(whatsapp_template_id=template.id)
        self.answer(channel, "We miss you")
        self.send_due()
        self.assertEqual(self.meta.sent[0]["type"], "template")
        self.assertEqual(self.meta.sent[0]["template"]["name"], "greeting")

    def test_a_file_that_whatsapp_does_not_take_is_refused_before_sending(self):
        for name, mimetype, raw in (
            ("tool.exe", "application/x-msdownload", b"MZ"),
            ("huge.png", "image/png", b"x" * (5 * 1024 * 1024 + 1)),
        ):
            file = self.attachments().create({"name": name, "raw": raw})
            file.sudo().mimetype = mimetype
            with self.assertRaisesRegex(UserError, name):
                self.answer(self.channel, "See", attachment_ids=file.ids)
        self.assertFalse(self.meta.calls)

    def picture(self, size=(800, 600), frames=1, mode="RGB", **values):
        """Return a WebP file."""
        out = io.BytesIO()
        pictures = [
            Image.new(mode, size, (40 * number, 90, 10, 128)[: len(mode)])
            for number in range(frames)
        ]
        pictures[0].save(
            out, "WEBP", save_all=frames > 1, append_images=pictures[1:], **values
        )
        return self.attachments().create(
            {"name": "photo.webp", "raw": out.getvalue(), "mimetype": "image/webp"}
        )

    def test_a_photo_in_webp_arrives_as_a_photo(self):
        uploads = []
        upload = CloudApi.upload

        def keep(client, number, name, content, mimetype):
            uploads.append((name, content.read(), mimetype))
            content.seek(0)
            return upload(client, number, name, content, mimetype)

        self.patch(CloudApi, "upload", keep)
        for mode in ("RGB", "RGBA"):
            file = self.picture(mode=mode)
            [row] = self.answer(self.channel, "", attachment_ids=file.ids)
            self.assertEqual(row.type, "image")
            self.send_due()
            self.assertEqual((row.state, self.meta.sent[-1]["type"]), ("sent", "image"))
            name, content, mimetype = uploads[-1]
            self.assertEqual((name, mimetype), ("photo.jpg", "image/jpeg"))
            with Image.open(io.BytesIO(content)) as picture:
                self.assertEqual((picture.format, picture.size), ("JPEG", (800, 600)))
            self.assertEqual(file.mimetype, "image/webp", "the user's own stays")

    def test_a_sticker_stays_one_and_a_moving_picture_is_refused(self):
        for frames, mode in ((1, "RGBA"), (2, "RGB")):
            file = self.picture((512, 512), frames, mode)
            [row] = self.answer(self.channel, "", attachment_ids=file.ids)
            self.assertEqual(row.type, "sticker")
        file = self.picture((640, 480), frames=2)
        with self.assertRaisesRegex(UserError, "photo.webp.*MP4"):
            self.answer(self.channel, "", attachment_ids=file.ids)
        file = self.picture()
        file.raw = file.raw[:30]
        file.sudo().mimetype = "image/webp"
        with self.assertRaisesRegex(UserError, "cannot be read"):
            self.answer(self.channel, "", attachment_ids=file.ids)

    def test_each_name_of_a_type_that_meta_takes_is_taken(self):
        for name, mimetype, kind, told in (
            ("video.3gp", "audio/3gpp", "video", "video/3gpp"),
            ("video.3gp", "video/3gpp", "video", "video/3gpp"),
            ("voice.m4a", "audio/x-m4a", "audio", "audio/mp4"),
            ("voice.m4a", "video/mp4", "audio", "audio/mp4"),
            ("voice.amr", "application/octet-stream", "audio", "audio/amr"),
            ("photo.jpg", "image/jpg", "image", "image/jpeg"),
            ("song.mp3", "audio/mp3", "audio", "audio/mpeg"),
        ):
            with self.subTest(name=name, mimetype=mimetype):
                file = self.attachments().create({"name": name, "raw": b"x" * 50})
                file.sudo().mimetype = mimetype
                [row] = self.answer(self.channel, "", attachment_ids=file.ids)
                self.assertEqual(row.type, kind)
                self.assertEqual(row._file()[2], told)

    def test_what_is_too_large_is_said_with_both_numbers_from_everywhere(self):
        limits = {
            "image/png": 5,
            "audio/mpeg": 16,
            "video/mp4": 16,
            "application/pdf": 100,
        }
        lead = self.channel.lead_id.with_user(self.channel.lead_id.user_id)
        for mimetype, most in limits.items():
            file = self.attachments().create({"name": "file", "raw": b"x"})
            file.sudo().write({"mimetype": mimetype})
            self.env.cr.execute(
                "UPDATE ir_attachment SET file_size = %s WHERE id = %s",
                ((most + 1) * 1024 * 1024, file.id),
            )
            file.invalidate_recordset()
            owner = lead.user_id
            for post in (
                lambda file=file: self.answer(
                    self.channel, "", attachment_ids=file.ids
                ),
                lambda file=file, owner=owner: self.channel.with_user(
                    owner
                ).message_post(attachment_ids=file.ids, message_type="comment"),
            ):
                with self.assertRaisesRegex(UserError, f"{most + 1}.0 MB.*{most} MB"):
                    with self.env.cr.savepoint():
                        post()

    def test_a_file_that_changed_meanwhile_is_not_sent(self):
        file = self.attachments().create(
            {"name": "offer.pdf", "raw": b"%PDF-1.4", "mimetype": "application/pdf"}
        )
        row = self.answer(self.channel, "Our offer", attachment_ids=file.ids)[:1]
        file.raw = b"%PDF-1.5 other"
        self.send_due()
        self.assertEqual((row.state, row.error_kind), ("failed", "permanent"))

    def test_what_is_dealt_with_is_removed_after_the_retention(self):
        row = self.answer(self.channel, "Hello")
        waiting = self.answer(self.channel, "Waits")
        row.state = "sent"
        event = self.events()
        self.env.flush_all()
        for days, kept in ((29, True), (31, False)):
            for records in (row, waiting, event):
                self.env.cr.execute(
                    f"UPDATE {records._table} SET create_date ="
                    " now() AT TIME ZONE 'UTC' - make_interval(days => %s)",
                    (days,),
                )
            self.env.invalidate_all()
            row._gc_sent()
            event._gc_events()
            self.assertEqual((bool(row.exists()), bool(event.exists())), (kept, kept))
        self.assertTrue(waiting.exists())

    def test_a_person_need_not_wait_for_the_next_attempt(self):
        self.meta.answers = [(500, {"error": {"code": 131000}})]
        row = self.answer(self.channel, "Hello")
        self.send_due()
        self.assertTrue(row.next_attempt_at)
        row.action_retry()
        self.send_due()
        self.assertEqual(row.state, "sent")

    def test_a_person_can_send_a_failed_message_again(self):
        self.meta.answers = [(400, {"error": {"code": 131026, "message": "x"}})]
        row = self.answer(self.channel, "Hello")
        self.send_due()
        row.action_retry()
        self.send_due()
        self.assertEqual(row.state, "sent")
        self.assertEqual(row.notification_id.notification_status, "sent")
        self.assertFalse(row.notification_id.failure_reason)
