# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is written in the chat: captions, limits, who wrote, and how far it has come."""

import base64
import json
from unittest.mock import patch

from markupsafe import Markup

from odoo.exceptions import UserError
from odoo.tests import HttpCase, new_test_user, tagged

from .. import voices
from ..tools import payloads
from .common import BROWSER, HTTP, GatewayCase

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)
NOBODY = {"error": {"code": 131026, "message": "x"}}


class ComposingCase(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.office = new_test_user(
            cls.env,
            login="office",
            password="office-in-the-browser",
            groups="base.group_user,mail_gateway.gateway_user",
        )
        cls.gateway.member_ids = cls.office

    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="How much is it?"))

    def responsible(self, channel):
        return self.office

    def file(self, name="chair.png", raw=PIXEL):
        return (
            self.env["ir.attachment"]
            .with_user(self.office)
            .create({"name": name, "raw": raw})
        )

    def send_files(self, body, *files):
        ids = [file.id for file in files]
        return self.answer(self.channel, body, attachment_ids=ids)

    def shown(self, row):
        return row.notification_id.notification_status


class TestCaption(ComposingCase):
    def test_a_picture_and_its_text_are_one_message(self):
        row = self.send_files("Our chair", self.file())
        self.assertEqual(row.type, "image")
        self.send_due()
        [sent] = self.meta.sent
        self.assertEqual(sent["image"]["caption"], "Our chair")
        self.assertTrue(sent["image"]["id"].startswith("media"))
        self.status(row, "read")
        self.assertEqual(self.shown(row), "whatsapp_read")

    def test_of_several_files_the_last_that_can_has_the_caption(self):
        song = self.file("song.mp3", b"ID3\x03\x00")
        rows = self.send_files("Both", self.file("a.png"), self.file("b.png"), song)
        self.assertEqual(rows.mapped("type"), ["image", "image", "audio"])
        captions = [row.payload[row.type].get("caption") for row in rows]
        self.assertEqual(captions, [None, "Both", None])

    def test_what_can_have_no_caption_is_followed_by_the_text(self):
        for text, file, kinds in (
            ("Listen", self.file("song.mp3", b"ID3\x03\x00"), ["audio", "text"]),
            ("x" * 1025, self.file(), ["image", "text"]),
        ):
            rows = self.send_files(text, file)
            self.assertEqual(rows.mapped("type"), kinds)
            self.assertEqual(rows[1].payload["text"]["body"], text)

    def test_a_file_and_an_empty_paragraph_are_one_file(self):
        row = self.send_files(Markup("<p><br></p>"), self.file())
        self.assertNotIn("caption", row.payload["image"])

    def test_the_caption_of_what_failed_is_edited_and_sent_again(self):
        row = self.send_files("Our chiar", self.file())
        self.meta.answers = [(200, {"id": "media"}), (400, NOBODY)]
        self.send_due()
        self.assertEqual(row.state, "failed")
        action = row.with_user(self.office).action_edit()
        self.assertEqual(action["context"]["default_body"], "Our chiar")
        wizard = self.env["whatsapp.edit.message"].with_user(self.office)
        values = {"row_id": row.id, "body": "x" * 4097}
        with self.assertRaisesRegex(UserError, "accepts 4096"):
            wizard.create(values).action_send()
        wizard.create({**values, "body": "Our chair"}).action_send()
        self.send_due()
        self.assertEqual(row.state, "sent")
        self.assertEqual(self.meta.sent[-1]["image"]["caption"], "Our chair")

    def test_too_long_a_text_is_refused_with_both_figures(self):
        for body in ("x" * 4097, "á" * 4097):
            with self.assertRaisesRegex(UserError, "has 4097 .* accepts 4096"):
                self.answer(self.channel, body)
        self.assertFalse(self.env["whatsapp.message.queue"].search([]))
        self.assertTrue(self.answer(self.channel, "á" * 4096))


@tagged(HTTP)
class TestLimits(ComposingCase, HttpCase):
    def test_the_web_client_knows_the_limits_of_the_server(self):
        self.authenticate("office", "office-in-the-browser")
        answer = self.url_open(
            "/web/session/get_session_info",
            data=json.dumps({"params": {}}),
            headers={"Content-Type": "application/json"},
        )
        limits = answer.json()["result"]["whatsapp_limits"]
        self.assertEqual(limits["text"], payloads.LONGEST_TEXT)
        for mime_type, (kind, size) in payloads.MEDIA_LIMITS.items():
            if mime_type != "image/webp":
                self.assertEqual(limits["types"][mime_type], [kind, size])


class TestVoice(ComposingCase):
    """What was recorded in the browser, with and without the library."""

    RECORDED = b"ID3\x03\x00 recorded"

    def record(self):
        file = self.file("Voice-1.mp3", self.RECORDED)
        file.sudo()._set_voice_metadata()
        return file

    def test_a_recording_leaves_as_a_voice_note(self):
        with patch.object(voices, "to_opus", lambda content: b"OggS" + content):
            row = self.send_files("", self.record())
        self.assertEqual(row.payload["audio"]["voice"], True)
        self.assertEqual(row.attachment_id.raw, b"OggS" + self.RECORDED)
        self.assertEqual(row._file()[::2], ("Voice-1.ogg", "audio/ogg"))
        self.send_due()
        self.assertEqual(row.state, "sent")
        self.assertTrue(self.meta.sent[0]["audio"]["voice"])

    def test_without_the_library_it_leaves_as_a_sound_file(self):
        with patch.object(voices, "av", None):
            row = self.send_files("", self.record())
        self.assertEqual(row.type, "audio")
        self.assertNotIn("voice", row.payload["audio"])
        self.assertEqual(row._file()[::2], ("Voice-1.mp3", "audio/mpeg"))

    def test_a_song_is_no_voice_note(self):
        for name, raw in (("a.mp3", self.RECORDED), ("a.ogg", b"OggS song")):
            row = self.send_files("", self.file(name, raw))
            self.assertNotIn("voice", row.payload["audio"])
            self.assertEqual(row.attachment_id.name, name)


class TestProgress(ComposingCase):
    def test_the_part_that_is_least_far_counts(self):
        first, second = self.send_files("x" * 1025, self.file())
        self.assertEqual(first.notification_id, second.notification_id)
        self.meta.answers = [
            *((200, {"id": "media"}), (200, {"messages": [{"id": "wamid.1"}]})),
            (400, {"error": {"code": 131000, "message": "x"}}),
        ]
        self.send_due()
        self.assertEqual((first.state, second.state), ("sent", "queued"))
        self.assertEqual(self.shown(first), "ready")
        self.assertTrue(first.notification_id.failure_reason)
        self.status(first, "read")
        self.assertEqual(self.shown(first), "ready")
        second.next_attempt_at = False
        self.send_due()
        self.assertEqual(self.shown(first), "sent")
        self.assertFalse(first.notification_id.failure_reason)
        self.status(second, "delivered")
        self.assertEqual(self.shown(first), "whatsapp_delivered")
        self.status(second, "read")
        self.assertEqual(self.shown(first), "whatsapp_read")

    def test_what_arrived_does_not_hide_what_failed(self):
        first, second = self.send_files("x" * 1025, self.file())
        self.meta.answers = [(200, {"id": "media"}), (400, NOBODY)]
        self.send_due()
        self.assertEqual((first.state, second.state), ("failed", "sent"))
        self.status(second, "read")
        self.assertEqual(self.shown(first), "exception")
        self.assertEqual(first.notification_id.failure_reason, first.error_text)

    def test_each_change_of_a_status_has_its_number_and_moment(self):
        row = self.answer(self.channel)
        versions = [row.notification_id.whatsapp_version]
        self.send_due()
        versions.append(row.notification_id.whatsapp_version)
        for status in ("delivered", "delivered", "read", "delivered"):
            self.status(row, status)
            versions.append(row.notification_id.whatsapp_version)
        self.assertEqual(versions, [0, 1, 2, 2, 3, 3])
        self.assertTrue(row.notification_id.whatsapp_status_date)


class TestSides(ComposingCase):
    def test_who_works_here_is_on_our_side_and_nobody_else(self):
        left = new_test_user(
            self.env, login="left", groups="base.group_user,mail_gateway.gateway_user"
        )
        self.channel._whatsapp_add_members(left)
        self.answer(self.channel, "Five euros", user=left)
        left.active = False
        self.answer(self.channel, "Or four", user=self.office)
        # an automation
        self.answer(self.channel, "We are open", user=self.env.ref("base.user_root"))
        self.channel.with_user(self.office).message_post(
            body="Regular", message_type="comment", subtype_xmlid="mail.mt_note"
        )
        self.receive(self.message(content="Thank you"))
        self.assertEqual(
            {
                text: message._whatsapp_is_ours()
                for message, text in zip(
                    self.channel.message_ids.filtered(
                        lambda m: m.message_type == "comment"
                    ).sorted("id"),
                    self.texts(self.channel),
                    strict=True,
                )
            },
            {
                "How much is it?": False,
                "Five euros": True,
                "Or four": True,
                "We are open": True,
                "Regular": True,
                "Thank you": False,
            },
        )

    def test_a_colleague_who_writes_from_the_own_phone_is_a_customer_then(self):
        self.office.partner_id.phone = "+52 55 8765 4321"
        person = {"from": "5215587654321", "name": "Office"}
        chat = self.receive(self.message(content="Hi", person=person), person=person)
        [message] = chat.message_ids.filtered("whatsapp_message_id")
        self.assertFalse(message._whatsapp_is_ours())

    def test_what_is_typed_on_the_phone_and_what_meta_says_is_ours(self):
        service = self.env["mail.gateway.whatsapp"]
        inbound = service._read_message(
            self.channel, self.message(content="Soon"), {}, "phone"
        )
        author = self.gateway._whatsapp_worker().partner_id
        posted = service._post_received(
            self.channel.sudo(), author, inbound, by_phone=True
        )
        self.assertTrue(posted.whatsapp_by_phone)
        self.assertTrue(posted._whatsapp_is_ours())
        agent = self.env.ref("mail_gateway_whatsapp_queue.partner_meta_agent")
        inbound = service._read_message(
            self.channel, self.message(content="I am a robot"), {}, "agent"
        )
        posted = service._post_received(self.channel.sudo(), agent, inbound)
        self.assertTrue(posted._whatsapp_is_ours())


@tagged(BROWSER)
class TestComposer(ComposingCase, HttpCase):
    """The text field as somebody sees it who may write, in a real browser."""

    def start(self, tour, **kwargs):
        self.start_tour(
            f"/odoo/discuss?active_id=discuss.channel_{self.channel.id}",
            f"mail_gateway_whatsapp_queue.{tour}",
            login="office",
            **kwargs,
        )
        self.env.invalidate_all()

    def test_what_is_too_long_is_counted_and_not_sent(self):
        self.start("too_long")
        self.assertFalse(self.env["whatsapp.message.queue"].search([]))

    def test_a_file_of_the_wrong_kind_is_refused_when_it_is_chosen(self):
        self.start("wrong_file")
        self.assertFalse(self.env["whatsapp.message.queue"].search([]))

    def test_what_the_server_refuses_comes_back_into_the_text_field(self):
        self.start("refused")
        row = self.env["whatsapp.message.queue"].search([])
        self.assertEqual(row.payload["text"]["body"], "Our chair")
