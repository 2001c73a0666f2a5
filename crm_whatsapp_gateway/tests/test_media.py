# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Files of customers: asked for as long as Meta has them, and stored for certain."""

import base64
import errno
import hashlib
import json
import os
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tools import html2plaintext, mute_logger

from odoo.addons.mail_gateway_whatsapp_queue.tools.cloud_api import CloudApi

from .common import WhatsappCase, at

EVENTS = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_webhook_event"
GATEWAY = "odoo.addons.mail_gateway_whatsapp_queue.models.mail_gateway_whatsapp"
STORE = "odoo.addons.mail_gateway_whatsapp_queue.models.ir_attachment"
ODOO_STORE = "odoo.addons.base.models.ir_attachment"
NO_OBJECT = (
    400,
    {
        "error": {
            "code": 100,
            "error_subcode": 33,
            "message": "Unsupported get request. Object with ID 'm1' does not exist",
        }
    },
)
NOT_FOUND = (404, {"error": {"code": 999, "message": "Not found"}})
EXPIRED = (404, {"error": {"code": 100, "message": "The media has expired"}})
INFO = (200, {"id": "m1", "url": "https://lookaside.fbsbx.com/x"})


class MediaCase(WhatsappCase):
    def setUp(self):
        super().setUp()
        self.contents = []  # what the next downloads give, the last one for ever
        self.begin = fields.Datetime.now().replace(microsecond=0)

        def download(api, url, limit):
            content = self.contents[0]
            if len(self.contents) > 1:
                self.contents.pop(0)
            if isinstance(content, Exception):
                raise content
            return content

        self.patch(CloudApi, "download", download)

    def picture(self, *answers, kind="document", **more):
        """Receive a file, Meta answering so of its id; return its message."""
        self.meta.answers = list(answers)
        wamid = f"wamid.file{next(self.wamids)}"
        part = {"id": "m1", "mime_type": "text/plain", "filename": "a.txt", **more}
        self.receive(self.message(kind, part, id=wamid))
        return self.env["mail.message"].search([("whatsapp_message_id", "=", wamid)])

    def later(self, *answers, **after):
        """Let time pass, and what is due be done."""
        self.meta.answers = list(answers)
        with at(self.begin + timedelta(**after)):
            self.drain()

    def text(self, message):
        return html2plaintext(message.body)


@mute_logger(EVENTS, GATEWAY, STORE)
class TestMediaAgain(MediaCase):
    def test_a_file_that_is_not_there_yet_is_asked_for_again(self):
        self.contents = [b"content"]
        for answer in (NO_OBJECT, NOT_FOUND):
            with self.subTest(answer=answer):
                message = self.picture(answer, caption="My roof")
                self.assertFalse(message.attachment_ids)
                self.assertNotIn(
                    "file", self.text(message), "nobody is alarmed at once"
                )
                event = self.events(kind="media")[0]
                self.assertEqual(event.state, "pending")
                self.later(answer, minutes=1)
                self.assertIn("not ready at WhatsApp yet", self.text(message))
                self.later(answer, hours=2)
                self.assertEqual(self.text(message).count("not ready"), 1)
                self.assertNotIn("number", self.text(message))
                self.later(INFO, days=2)
                self.assertEqual(message.attachment_ids.raw, b"content")
                self.assertEqual(self.text(message).strip(), "My roof")
                self.assertEqual(event.state, "done")

    def test_a_file_is_given_up_when_its_life_is_over(self):
        message = self.picture(NO_OBJECT, caption="My roof")
        event = self.events(kind="media")
        for hours in (1, 12, 24, 48, 96, 166):
            self.later(NO_OBJECT, hours=hours)
            self.assertEqual(event.state, "pending", hours)
            self.assertNotIn("could not be received", self.text(message))
        self.later(NO_OBJECT, hours=200)
        self.assertIn(event.state, ("done", "failed"))
        self.assertIn("My roof", self.text(message))
        self.assertIn("file could not be received", self.text(message))
        self.assertNotIn("not ready", self.text(message))
        self.assertNotIn("number", self.text(message))

    def test_a_file_that_has_expired_is_given_up_at_once(self):
        message = self.picture(EXPIRED, caption="My roof")
        self.assertIn("My roof", self.text(message))
        self.assertIn("has expired at WhatsApp", self.text(message))
        self.assertEqual(self.events(kind="media").state, "done")

    def test_another_file_than_announced_is_fetched_again(self):
        right = base64.b64encode(hashlib.sha256(b"right").digest()).decode()
        self.contents = [b"wro", b"right"]
        message = self.picture(INFO, INFO, sha256=right)
        self.assertEqual(message.attachment_ids.raw, b"right")
        self.assertNotIn("checksum", self.text(message))

    def test_another_file_than_announced_is_kept_with_a_word_of_it(self):
        right = base64.b64encode(hashlib.sha256(b"right").digest()).decode()
        self.contents = [b"wrong"]
        message = self.picture(INFO, INFO, sha256=right)
        self.assertEqual(message.attachment_ids.raw, b"wrong")
        self.assertIn("checksum differs", self.text(message))

    def test_the_type_that_the_delivery_lacks_is_asked_for(self):
        self.contents = [b"PK"]
        info = {**INFO[1], "mime_type": "application/vnd.android.package-archive"}
        message = self.picture((200, info), mime_type=None, filename=None)
        self.assertTrue(message.attachment_ids.name.endswith(".apk"))

    def test_types_have_the_names_that_everybody_knows(self):
        self.contents = [b"\0"]
        message = self.picture(INFO, kind="audio", mime_type="audio/x-m4a", filename=0)
        self.assertEqual(message.attachment_ids.mimetype, "audio/mp4")
        self.assertTrue(message.attachment_ids.name.endswith(".m4a"))


class _FullDisk:
    """A file of which the disk takes a half."""

    def __init__(self, file):
        self.file = file

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.file.close()

    def write_half(self, content):
        self.file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    write = write_half


@mute_logger(EVENTS, GATEWAY, STORE, ODOO_STORE)
class TestStore(MediaCase):
    """A store that swallows what it could not write loses no file."""

    def setUp(self):
        super().setUp()
        self.gateway.whatsapp_alert_user_ids = self.env.ref("base.user_admin")
        self.contents = [os.urandom(4000)]

    def full_disk(self, write=True):
        def open_(path, mode="r", *args, **kwargs):
            if "w" not in mode:
                return open(path, mode, *args, **kwargs)
            if write:
                return _FullDisk(open(path, mode, *args, **kwargs))
            raise OSError(errno.ENOSPC, "No space left on device")

        return patch(f"{ODOO_STORE}.open", open_, create=True)

    def path(self):
        name = hashlib.sha1(self.contents[0]).hexdigest()
        return self.env["ir.attachment"]._full_path(f"{name[:2]}/{name}")

    def alerts(self):
        return self.events(kind="media")._alerts()

    def test_a_full_disk_is_told_once_and_the_file_comes_later(self):
        for writes in (True, False):
            with self.subTest(writes_a_half=writes):
                self.contents = [os.urandom(4000)]
                with self.full_disk(writes):
                    message = self.picture(INFO, caption="My roof")
                    event = self.events(kind="media")[0]
                    self.assertEqual(event.state, "pending")
                    self.assertFalse(message.attachment_ids)
                    self.later(INFO, minutes=1)
                    self.later(INFO, minutes=10)
                    self.assertEqual(event.attempts, 3)
                self.assertEqual(len(self.alerts()), 1)
                self.assertIn("files cannot be stored", self.alerts().summary)
                self.assertIn("could not be stored", self.text(message))
                self.later(INFO, hours=2)
                self.assertEqual(event.state, "done")
                self.assertEqual(message.attachment_ids.raw, self.contents[0])
                self.assertEqual(self.text(message).strip(), "My roof")
                self.assertFalse(self.alerts(), "it works again")

    def test_a_file_that_was_not_written_whole_before_stands_in_no_way(self):
        os.makedirs(os.path.dirname(self.path()), exist_ok=True)
        with open(self.path(), "wb") as file:
            file.write(b"half")
        self.addCleanup(lambda: os.path.exists(self.path()) and os.unlink(self.path()))
        message = self.picture(INFO)
        self.assertEqual(message.attachment_ids.raw, self.contents[0])

    def test_what_is_stored_before_is_stored_again(self):
        first, second = self.picture(INFO), self.picture(INFO)
        self.assertEqual(first.attachment_ids.raw, second.attachment_ids.raw)
        self.assertTrue(os.path.isfile(self.path()))

    def test_files_in_the_database_are_stored_too(self):
        self.env["ir.config_parameter"].set_param("ir_attachment.location", "db")
        message = self.picture(INFO)
        self.assertEqual(message.attachment_ids.raw, self.contents[0])

    def test_a_store_elsewhere_is_asked_what_it_has(self):
        attachments = type(self.env["ir.attachment"])
        kept = {}

        def write(self, content, checksum):
            kept[checksum] = content[:-1]
            return checksum

        def read(self, name, *args, **kwargs):
            return kept.get(name, b"")

        with (
            patch.object(attachments, "_file_write", write),
            patch.object(attachments, "_file_read", read),
        ):
            message = self.picture(INFO)
        self.assertFalse(message.attachment_ids)
        self.assertEqual(self.events(kind="media").state, "pending")


@mute_logger(EVENTS, GATEWAY)
class TestFormFiles(MediaCase):
    def test_all_files_of_a_form_are_fetched(self):
        self.contents = [b"one", b"two"]
        answers = {
            "flow_token": "x",
            "ine": [
                {"file_name": "ine.jpg", "mime_type": "image/jpeg", "id": "1"},
                {"file_name": "plan.txt", "mime_type": "text/plain", "id": 2},
            ],
            "domicilio": {"calle": "Sol 3"},
        }
        reply = {"name": "flow", "body": "Sent", "response_json": json.dumps(answers)}
        self.meta.answers = [INFO, INFO]
        channel = self.receive(
            self.message("interactive", {"type": "nfm_reply", "nfm_reply": reply})
        )
        [text] = self.texts(channel)
        self.assertIn("Domicilio: calle: Sol 3", text)
        self.assertNotIn("flow_token", text)
        message = channel.message_ids.filtered("whatsapp_message_id")
        self.assertEqual(
            message.attachment_ids.sorted("id").mapped("name"), ["ine.jpg", "plan.txt"]
        )
        asked = [path for _method, path, _json in self.meta.calls]
        self.assertEqual([path[-2:] for path in asked], ["/1", "/2"])
        self.assertIn("Domicilio: calle: Sol 3", channel.lead_id.description)

    def test_one_file_that_is_late_keeps_the_others(self):
        self.contents = [b"one"]
        answers = {"a": [{"file_name": f"{n}.txt", "id": str(n)} for n in range(3)]}
        reply = {"response_json": json.dumps(answers)}

        # all together first, then each on its own
        self.meta.answers = [INFO, NOT_FOUND, INFO, NOT_FOUND, INFO]
        channel = self.receive(
            self.message("interactive", {"type": "nfm_reply", "nfm_reply": reply})
        )
        message = channel.message_ids.filtered("whatsapp_message_id")
        self.assertEqual(len(message.attachment_ids), 2)
        self.later(INFO, minutes=1)
        self.assertEqual(
            sorted(message.attachment_ids.mapped("name")), ["0.txt", "1.txt", "2.txt"]
        )
