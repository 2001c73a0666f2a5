# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Several documents at once: each once, or truthfully not."""

from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..models.base import Base
from .common import BROWSER
from .test_send_document import GATEWAY_USER, PDF, DocumentCase

BATCH = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_batch"


class Killed(BaseException):
    """The process ends here."""


class BatchCase(DocumentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contacts = cls.env["res.partner"].create(
            [
                {"name": f"Customer {number}", "phone": f"+52 55 1111 000{number}"}
                for number in range(6)
            ]
        )

    def set_scene(self):
        super().set_scene()
        self.batch_template = self.offer(language="en")

    def many(self, records=None, user=None, **values):
        dialog = self.dialog(records or self.contacts, user=user)
        dialog.write({"template_id": self.batch_template.id, **values})
        return dialog

    def send(self, dialog):
        action = dialog.action_send()
        return self.env["whatsapp.batch"].browse(action["res_id"])

    def work(self):
        self.env.flush_all()
        self.env["whatsapp.batch"]._cron_send()
        self.env.invalidate_all()

    def work_until_killed(self, after):
        """Let the process end while it sends the document after so many others."""
        calls = []

        def sent_from(record, rows):
            calls.append(record)
            if len(calls) > after:
                raise Killed

        try:  # assertRaises would undo what was committed before
            with patch.object(Base, "_whatsapp_sent_from", sent_from):
                self.work()
        except Killed:
            self.env.invalidate_all()
            return
        self.fail("nothing was killed")

    def outcomes(self, batch):
        return batch.line_ids.sorted("place").mapped("outcome")


class TestMany(BatchCase):
    def test_each_document_is_sent_once_with_its_own_pdf(self):
        dialog = self.many()
        self.assertTrue(dialog.is_many)
        self.assertEqual((dialog.sendable, dialog.refused), (6, False))
        self.assertIn("Hello Customer", dialog.preview)
        batch = self.send(dialog)
        self.assertFalse(self.rows())  # nothing before the cron
        self.assertEqual(batch.waiting, 6)
        self.work()
        rows = self.rows()
        self.assertEqual(len(rows), 6)
        self.assertEqual(
            [ids for user, su, ids in self.printed if user == self.office and not su],
            [[one] for one in self.contacts.ids],
        )
        self.assertEqual(self.outcomes(batch), ["queued"] * 6)
        self.send_due()
        self.status(rows[0], "read")
        self.status(rows[1], "delivered")
        self.assertEqual(self.outcomes(batch), ["read", "delivered", *["sent"] * 4])
        self.assertEqual((batch.progress, batch.is_open), (100, False))
        for contact in self.contacts:
            [notification] = self.note(contact).notification_ids
            self.assertTrue(notification.gateway_channel_id)
            self.assertEqual(self.note(contact).author_id, self.office.partner_id)
        found = batch.line_ids.search([("outcome", "=", "read")])
        self.assertEqual(found.row_id, rows[0])

    def test_without_a_template_nothing_is_shown_or_sent(self):
        dialog = self.many(template_id=False)
        self.assertFalse(dialog.preview)
        self.assertFalse(dialog.header_source)
        self.refused(dialog.action_send, UserError, "choose a template")

    def test_what_cannot_be_sent_is_said_before(self):
        self.contacts[1].phone = False
        known = self.receive(
            self.message(content="Hi", person={"from": "5215511110002", "name": "C"}),
            person={"from": "5215511110002", "name": "C"},
        )
        known.sudo().whatsapp_opt_out = True
        self.batch_template.category = "marketing"
        dialog = self.many()
        self.assertEqual(dialog.sendable, 4)
        for words in ("Customer 1", "no phone number"):
            self.assertIn(words, dialog.refused)
        for words in ("Customer 2", "no more marketing"):
            self.assertIn(words, dialog.refused)
        batch = self.send(dialog)
        self.work()
        self.assertEqual(len(self.rows()), 4)
        self.assertEqual((batch.refused, batch.waiting), (2, 4))
        self.assertIn("marketing", batch.line_ids.sorted("place")[2].why)

    def test_what_changed_meanwhile_is_refused_with_the_reason(self):
        batch = self.send(self.many())
        self.contacts[0].phone = "+52 55 2222 0000"
        self.contacts[1].unlink()
        self.env["ir.rule"].create(
            {
                "name": "Hidden",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {self.contacts[2].id})]",
            }
        )
        with mute_logger("odoo.addons.base.models.ir_rule"):
            self.work()
        self.assertEqual(self.outcomes(batch)[:4], [*["refused"] * 3, "queued"])
        whys = batch.line_ids.sorted("place").mapped("why")
        self.assertIn("changed", whys[0])
        self.assertIn("no longer exists", whys[1])
        self.assertTrue(whys[2])
        self.assertEqual(len(self.rows()), 3)

    def test_a_process_that_is_killed_loses_and_doubles_nothing(self):
        batch = self.send(self.many())
        self.work_until_killed(after=2)
        self.assertEqual(len(self.rows()), 2)
        self.assertEqual(batch.waiting, 6)
        self.assertEqual(self.outcomes(batch), [*["queued"] * 2, *["waiting"] * 4])
        self.work()
        self.send_due()
        self.work()
        self.assertEqual(self.outcomes(batch), ["sent"] * 6)
        self.assertEqual(len(self.meta.sent), 6)
        self.assertEqual(len({sent["to"] for sent in self.meta.sent}), 6)

    def test_a_document_that_always_kills_does_not_stop_the_others(self):
        batch = self.send(self.many())

        def sent_from(record, rows):
            if record == self.contacts[1]:
                raise ZeroDivisionError

        with (
            patch.object(Base, "_whatsapp_sent_from", sent_from),
            mute_logger(BATCH),
        ):
            self.work()
        expected = ["queued"] * 6
        expected[1] = "refused"
        self.assertEqual(self.outcomes(batch), expected)
        batch.with_user(self.office).action_retry()
        self.work()
        self.assertEqual(self.outcomes(batch), ["queued"] * 6)

    def test_the_same_selection_again_sends_nothing_twice(self):
        dialog = self.many()
        self.send(dialog)
        self.assertEqual(dialog.action_send()["type"], "ir.actions.act_window_close")
        again = self.many()
        self.assertEqual(again.sendable, 0)
        self.assertIn("already", again.refused)
        self.refused(again.action_send, UserError, "None of these")
        self.work()
        self.work()
        self.assertEqual(len(self.rows()), 6)

    def test_one_person_gets_each_of_their_documents(self):
        self.contacts.phone = "+52 55 1111 0000"
        batch = self.send(self.many())
        self.work()
        self.assertEqual(len(self.rows()), 6)
        self.assertEqual(len(self.rows().channel_id), 1)
        self.assertEqual(batch.waiting, 6)

    def test_what_failed_is_sent_again(self):
        batch = self.send(self.many())
        self.work()
        nobody = {"error": {"code": 131026, "message": "x"}}
        self.meta.answers = [(200, {"id": "media"}), (400, nobody)]
        self.send_due()
        self.assertEqual(batch.failed, 1)
        batch.with_user(self.office).action_retry()
        self.send_due()
        self.assertEqual(self.outcomes(batch), ["sent"] * 6)

    def test_what_has_not_left_is_given_up(self):
        batch = self.send(self.many())
        self.work_until_killed(after=2)
        batch.with_user(self.office).action_cancel()
        self.work()
        self.send_due()
        self.assertEqual(self.outcomes(batch), ["canceled"] * 6)
        self.assertFalse(self.meta.sent)
        self.refused(
            batch.with_user(self.office).action_cancel, UserError, "everything has left"
        )

    def test_what_was_sent_already_is_not_sent_again_by_the_button(self):
        self.send(self.many())
        self.work()
        new = self.env["res.partner"].create({"name": "New", "phone": "+525511110009"})
        batch = self.send(self.many(self.contacts | new))
        self.work()
        self.assertEqual(len(self.rows()), 7)
        batch.with_user(self.office).action_retry()
        self.work()
        self.assertEqual(len(self.rows()), 7)
        self.assertIn("already", batch.line_ids.sorted("place")[0].reason)

    def test_what_others_sent_meanwhile_is_not_sent_by_the_button(self):
        phone, self.contacts[0].phone = self.contacts[0].phone, False
        first = self.send(self.many())
        self.work()
        self.contacts[0].phone = phone
        first.line_ids.sorted("place")[0].token = "525511110000"
        self.send(self.many(self.contacts[:2]))
        self.work()
        self.assertEqual(len(self.rows()), 6)
        first.with_user(self.office).action_retry()
        self.work()
        self.assertEqual(len(self.rows()), 6)

    def test_a_typed_value_replaces_no_other_document_s_own(self):
        self.batch_template.write(
            {
                "body": "Hello {{1}}, your town is {{2}}.",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
            }
        )
        for row, name in zip(
            self.batch_template.variable_ids.sorted("name"),
            ("name", "city"),
            strict=True,
        ):
            row.field_name = name
        self.contacts[1:].city = "Puebla"
        dialog = self.many()
        dialog.value_ids.value = "Oaxaca"
        self.send(dialog)
        self.work()
        towns = [
            row.payload["template"]["components"][1]["parameters"][1]["text"]
            for row in self.rows()
        ]
        self.assertEqual(towns, ["Oaxaca", *["Puebla"] * 5])

    def test_values_that_no_document_has_are_typed_once(self):
        self.batch_template.body = "Hello {{1}}, your code is {{2}}"
        dialog = self.many()
        [line] = dialog.value_ids
        self.assertEqual(line.name, "2")
        self.refused(dialog.action_send, UserError, "Please fill in")
        line.value = "ABC"
        self.assertIn("ABC", dialog.preview)
        batch = self.send(dialog)
        self.work()
        self.assertEqual(self.outcomes(batch), ["queued"] * 6)
        self.assertEqual(
            {
                row.payload["template"]["components"][1]["parameters"][1]["text"]
                for row in self.rows()
            },
            {"ABC"},
        )

    def test_a_chosen_file_goes_to_all(self):
        file = (
            self.env["ir.attachment"]
            .with_user(self.office)
            .create({"name": "menu.pdf", "raw": PDF})
        )
        batch = self.send(self.many(file_ids=[Command.set(file.ids)]))
        self.work()
        self.assertEqual(self.outcomes(batch), ["queued"] * 6)
        self.assertEqual(set(self.rows().attachment_id.mapped("name")), {"menu.pdf"})
        self.assertFalse(self.printed)


class TestBatchRights(BatchCase):
    def test_a_batch_is_its_users_and_the_administrators(self):
        batch = self.send(self.many())
        system = new_test_user(self.env, login="system", groups="base.group_system")
        for user, sees in ((self.office, True), (self.other, False), (system, True)):
            theirs = batch.with_user(user)
            self.assertEqual(theirs.has_access("read"), sees)
            self.assertEqual(theirs.line_ids.has_access("read"), sees)
            self.assertEqual(bool(theirs.search([])), sees)
        for user in (self.other, self.plain, self.portal):
            self.refused(batch.with_user(user).action_cancel)
            self.refused(batch.with_user(user).action_retry)

    def test_nobody_makes_or_changes_one_by_hand(self):
        batch = self.send(self.many())
        for user in (self.office, self.env.ref("base.user_admin")):
            theirs = batch.with_user(user)
            self.refused(lambda theirs=theirs: theirs.line_ids.write({"token": "1"}))
            self.refused(
                lambda theirs=theirs: theirs.create(
                    {
                        "res_model": "res.partner",
                        "user_id": self.env.ref("base.user_admin").id,
                        "gateway_id": self.gateway.id,
                    }
                )
            )

    def test_who_loses_the_right_meanwhile_sends_nothing(self):
        batch = self.send(self.many())
        self.office.active = False
        self.work()
        self.assertEqual(self.outcomes(batch), ["refused"] * 6)
        self.assertFalse(self.rows())

    def test_a_colleagues_conversation_is_left_out(self):
        person = {"from": "5215511110003", "name": "C"}
        known = self.receive(self.message(content="Hi", person=person), person=person)
        self.gateway.member_ids = self.other
        known.channel_member_ids.filtered(
            lambda member: member.partner_id == self.office.partner_id
        ).unlink()
        self.gateway.member_ids = self.other
        dialog = self.many()
        self.assertIn("has a conversation", dialog.refused)


@tagged(BROWSER)
class TestManyInBrowser(BatchCase, HttpCase):
    def test_a_selection_is_sent_and_its_result_listed(self):
        clerk = new_test_user(
            self.env,
            login="clerk",
            password="clerk-in-the-browser",
            groups=f"{GATEWAY_USER},base.group_partner_manager",
        )
        self.gateway.member_ids |= clerk
        self.contacts[1].phone = False
        action = self.env["ir.actions.act_window"].create(
            {
                "name": "Customers",
                "res_model": "res.partner",
                "view_mode": "list",
                "domain": f"[('id', 'in', {self.contacts.ids})]",
            }
        )
        self.start_tour(
            f"/odoo/action-{action.id}",
            "mail_gateway_whatsapp_queue.document_many",
            login="clerk",
        )
        batch = self.env["whatsapp.batch"].search([])
        self.assertEqual((batch.user_id, batch.total, batch.refused), (clerk, 6, 1))
        self.work()
        self.assertEqual(len(self.rows()), 5)
