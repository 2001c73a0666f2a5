# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Send by WhatsApp from a document: one, to whoever it concerns."""

from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..models.base import Base
from .common import BROWSER, GatewayCase

PDF = b"%PDF-1.4 offer"
GATEWAY_USER = "base.group_user,mail_gateway.gateway_user"
RULES = ("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
BOB = {"from": "5215599999999", "name": "Bob Free", "bsuid": "MX.2"}


class DocumentCase(GatewayCase):
    """A contact with a number, a report that prints contacts, three users."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.office, cls.other, cls.plain = (
            new_test_user(cls.env, login=login, groups=groups)
            for login, groups in (
                ("office", GATEWAY_USER),
                ("other", GATEWAY_USER),
                ("plain", "base.group_user"),
            )
        )
        cls.portal = new_test_user(cls.env, login="portal", groups="base.group_portal")
        cls.gateway.member_ids = cls.office
        cls.contact = cls.env["res.partner"].create(
            {"name": "Ana Pérez", "phone": "+52 55 1234 5678", "lang": "en_US"}
        )
        cls.report = cls.env["ir.actions.report"].create(
            {
                "name": "Offer",
                "model": "res.partner",
                "report_name": "test.offer",
                "report_type": "qweb-pdf",
                "print_report_name": "'Offer for %s' % object.name",
                "binding_model_id": cls.env["ir.model"]._get_id("res.partner"),
            }
        )

    def setUp(self):
        super().setUp()
        self.printed = self.print_as(PDF)

    def responsible(self, channel):
        return self.office

    def dialog(self, record=None, user=None, model="res.partner"):
        """Return the dialog as the button of a document opens it."""
        record = record or self.contact
        dialogs = self.env["whatsapp.send.document"].with_user(user or self.office)
        action = dialogs.action_open_for(model, record.ids)
        return dialogs.browse(action["res_id"])

    def offer(self, **values):
        """Return a template with a document in its header."""
        return self.template(
            "Hello {{1}}, this is your offer",
            **{"name": "Offer", "template_name": "offer", **values},
            whatsapp_header="document",
        )

    def rows(self):
        return self.env["whatsapp.message.queue"].search([]).sorted("id")

    def note(self, record=None):
        """Return the last message in the history of a record."""
        messages = (record or self.contact).message_ids
        return messages.sorted("id")[-1:]

    def refused(self, call, error=AccessError, words=""):
        with (
            self.assertRaisesRegex(error, words),
            self.env.cr.savepoint(),
            mute_logger(*RULES),
        ):
            call()
            self.env.flush_all()
        self.env.invalidate_all()


class TestOpenWindow(DocumentCase):
    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="An offer, please"))

    def test_free_text_and_the_printed_document_leave_as_one_message(self):
        dialog = self.dialog()
        self.assertTrue(dialog.is_window_open)
        self.assertEqual(dialog.kind, "text")
        self.assertEqual(dialog.gateway_id, self.gateway)
        self.assertIn("+52 55 1234 5678", dialog.recipient_id.name)
        self.assertIn("Offer for Ana Pérez.pdf", dialog.preview)
        dialog.body = "Here it is"
        dialog.action_send()
        row = self.rows()
        self.assertEqual((row.type, row.channel_id), ("document", self.channel))
        self.assertEqual(row.payload["document"]["caption"], "Here it is")
        self.assertEqual(self.printed, [(self.office, False, self.contact.ids)])
        self.send_due()
        sent = self.meta.sent[-1]["document"]
        self.assertEqual(sent["filename"], row.attachment_id.name)

    def test_the_document_shows_what_becomes_of_it(self):
        self.dialog().action_send()
        row, note = self.rows(), self.note()
        self.assertEqual(note.author_id, self.office.partner_id)
        self.assertIn("Ana Pérez", note.body)
        self.assertEqual(note.attachment_ids.res_model, "res.partner")
        self.assertEqual(note.attachment_ids.raw, PDF)
        shown = note.notification_ids
        self.assertEqual(shown._filtered_for_web_client(), shown)
        self.assertEqual(shown.notification_status, "ready")
        self.send_due()
        self.assertEqual(shown.notification_status, "sent")
        for status, seen in (
            ("delivered", "whatsapp_delivered"),
            ("read", "whatsapp_read"),
        ):
            self.status(row, status)
            self.assertEqual(shown.notification_status, seen)
        [delivery] = [note.with_user(self.office).whatsapp_delivery()]
        self.assertFalse(delivery["decisions"])

    def test_a_failure_is_shown_on_the_document_and_decided_there(self):
        self.dialog().action_send()
        self.meta.answers = [
            (200, {"id": "media"}),
            (400, {"error": {"code": 131026, "message": "x"}}),
        ]
        self.send_due()
        note = self.note().with_user(self.office)
        self.assertEqual(note.sudo().notification_ids.notification_status, "exception")
        self.assertIn("retry", note.whatsapp_delivery()["decisions"])
        note.action_whatsapp_decide("retry")
        self.send_due()
        self.assertEqual(self.rows().state, "sent")

    def test_the_report_can_be_left_out_and_files_added(self):
        dialog = self.dialog()
        file = (
            self.env["ir.attachment"]
            .with_user(self.office)
            .create({"name": "terms.pdf", "raw": b"%PDF-1.4 terms"})
        )
        dialog.write({"report_id": False, "file_ids": [Command.set(file.ids)]})
        dialog.action_send()
        self.assertEqual(self.rows().attachment_id.name, "terms.pdf")
        self.assertFalse(self.printed)

    def test_a_file_that_the_user_may_not_read_is_not_sent(self):
        hidden = self.env["ir.attachment"].create({"name": "a.pdf", "raw": PDF})
        dialog = self.dialog()
        self.refused(lambda: dialog.write({"file_ids": [Command.set(hidden.ids)]}))
        spec = {"preview": {}, "file_ids": {"fields": {"name": {}}}}
        for command in ([(4, hidden.id)], [(6, 0, hidden.ids)]):
            self.refused(
                lambda command=command: dialog.onchange(
                    {"file_ids": command}, ["file_ids"], spec
                )
            )

    def test_a_report_of_other_documents_prints_nothing(self):
        other = self.report.copy(
            {"model": "res.company", "print_report_name": False, "name": "Other"}
        )
        dialog = self.dialog()
        lines = self.env["whatsapp.send.document.report"].with_user(self.office)
        line = lines.create({"wizard_id": dialog.id, "report": other.id})
        self.refused(
            lambda: dialog.write({"report_id": line.id}) and dialog.action_send(),
            UserError,
        )
        self.assertFalse(self.printed)
        self.assertFalse(self.rows())

    def test_what_looks_like_html_is_shown_as_text(self):
        evil = "<img src=x onerror=alert(1)>"
        self.contact.name = f"Ana {evil}"
        self.template("Hello {{1}}, bye", name="Plain", template_name="plain")
        dialog = self.dialog()
        dialog.body = evil
        self.assertNotIn("<img", dialog.preview)
        template = self.offer(language="en", footer=evil)
        dialog.write({"kind": "template", "template_id": template.id})
        dialog.value_ids.value = evil
        self.assertIn("onerror", dialog.preview)
        self.assertNotIn("<img", dialog.preview)
        self.contact.copy({"phone": False})
        both = self.dialog(self.contact | self.contact.copy({"phone": False}))
        both.template_id = template
        self.assertIn("onerror", both.refused)
        self.assertNotIn("<img", both.refused + both.preview)
        dialog.action_send()
        self.assertNotIn("<img", self.note().body)
        self.assertNotIn("<img", self.rows().message_id.body)

    def test_a_strange_name_is_one_of_a_file(self):
        self.contact.name = "Ana\r\nX: y/b\\c\t😀 \u202eñ" + "x" * 400
        dialog = self.dialog()
        dialog.action_send()
        self.send_due()
        self.assertEqual(self.rows().state, "sent")
        named = self.meta.sent[-1]["document"]["filename"]
        self.assertNotRegex(named, r"[\r\n/\\\t]")
        self.assertIn("😀", named)
        self.assertTrue(named.endswith(".pdf"))
        self.assertLessEqual(len(named), 240)

    def test_a_second_click_sends_nothing_more(self):
        dialog = self.dialog()
        dialog.action_send()
        dialog.action_send()
        self.assertEqual(len(self.rows()), 1)

    def test_nothing_to_send_is_said(self):
        dialog = self.dialog()
        dialog.report_id = False
        self.refused(dialog.action_send, UserError, "nothing to send")
        self.assertFalse(self.rows())

    def test_a_template_may_be_chosen_all_the_same(self):
        template = self.offer()
        with Form(self.dialog()) as form:
            form.kind = "template"
            form.template_id = template
            self.assertIn("Offer for Ana", form.preview)
            dialog = form.save()
        dialog.action_send()
        self.assertEqual(self.rows().template_id, template)

    def test_the_chat_tells_of_which_document_it_is_to_who_may_read_it(self):
        self.dialog().action_send()
        said = self.rows().message_id
        for user, knows in ((self.office, True), (self.other, False)):
            if not knows:
                self.channel._whatsapp_add_members(user)
                self.env["ir.rule"].create(
                    {
                        "name": "Hidden",
                        "model_id": self.env["ir.model"]._get_id("res.partner"),
                        "domain_force": f"[('id', '!=', {self.contact.id})]",
                    }
                )
            self.env.invalidate_all()
            told = said.with_user(user).gateway_thread_data
            self.assertEqual(bool(told), knows)

    def test_an_addon_is_told_of_what_was_sent(self):
        told = []

        def sent_from(record, rows):
            told.append((record, rows))

        with patch.object(Base, "_whatsapp_sent_from", sent_from):
            self.dialog().action_send()
        self.assertEqual(told, [(self.contact, self.rows())])

    def test_a_group_of_several_numbers_is_chosen_from(self):
        self.receive(self.message(content="Hi", person=BOB), person=BOB)
        self.contact.phone = "+52 55 7777 7777 / +52 55 9999 9999"
        dialog = self.dialog()
        self.assertTrue(dialog.are_several)
        # the second is the one that wrote
        self.assertIn("9999 9999", dialog.recipient_id.name)
        dialog.recipient_id = dialog.recipient_ids[0]
        self.assertFalse(dialog.is_window_open)
        self.assertEqual(dialog.kind, "template")


class TestClosedWindow(DocumentCase):
    def test_a_new_conversation_begins_with_a_template_and_its_pdf(self):
        template = self.offer(language="en")
        dialog = self.dialog()
        self.assertEqual((dialog.kind, dialog.template_id), ("template", template))
        self.assertEqual(dialog.value_ids.value, "Ana")
        self.assertIn("Offer for Ana Pérez.pdf", dialog.preview)
        channels = self.env["discuss.channel"]
        self.assertFalse(channels.search([("name", "=", "Ana Pérez")]))
        dialog.action_send()
        row = self.rows()
        self.assertEqual(row.channel_id.whatsapp_phone, "+525512345678")
        self.send_due()
        sent = self.meta.sent[-1]["template"]
        self.assertEqual(
            sent["components"][0]["parameters"][0]["document"]["filename"],
            "Offer for Ana Pérez.pdf",
        )
        self.assertEqual(sent["components"][1]["parameters"][0]["text"], "Ana")
        self.assertEqual(self.note().attachment_ids.raw, PDF)

    def test_templates_in_the_language_of_the_customer_come_first(self):
        for name, language in (("a", "es_MX"), ("b", "en"), ("c", "es_ES")):
            self.template("Hi", name=name, template_name=name, language=language)
        self.contact.lang = "en_US"
        dialog = self.dialog()
        choices = dialog.choices(dialog.recipient_id.id, self.gateway.id)
        self.assertEqual([c["technical_name"] for c in choices], ["b", "a", "c"])
        self.refused(
            lambda: dialog.with_user(self.other).choices(
                dialog.recipient_id.id, self.gateway.id
            )
        )

    def test_templates_of_other_documents_are_not_offered(self):
        self.template(
            "Your visit",
            name="Visit",
            template_name="visit",
            model_id=self.env["ir.model"]._get_id("res.partner.bank"),
        )
        mine = self.offer(language="en")
        dialog = self.dialog()
        choices = dialog.choices(dialog.recipient_id.id, self.gateway.id)
        self.assertEqual([choice["id"] for choice in choices], mine.ids)

    def test_values_are_those_of_the_document(self):
        template = self.offer(language="en")
        template.variable_ids.write(
            {"field_id": self.env["ir.model.fields"]._get("res.partner", "email").id}
            if "field_id" in template.variable_ids._fields
            else {"field_name": "email"}
        )
        self.contact.email = "ana@example.com"
        self.assertEqual(self.dialog().value_ids.value, "ana@example.com")

    def test_a_closed_window_takes_no_free_text_whoever_asks(self):
        channel = self.receive(self.message(content="Hi"))
        before = fields.Datetime.now() - timedelta(days=2)
        channel.sudo().whatsapp_last_customer_date = before
        dialog = self.dialog()
        dialog.write({"kind": "text", "body": "x"})
        self.refused(dialog.action_send, UserError, "24 hours")

    def test_marketing_is_not_sent_to_who_opted_out(self):
        channel = self.receive(self.message(content="Hi"))
        channel.sudo().whatsapp_opt_out = True
        template = self.offer(category="marketing")
        dialog = self.dialog()
        dialog.write({"kind": "template", "template_id": template.id})
        self.refused(dialog.action_send, UserError, "no more marketing")


class TestRights(DocumentCase):
    def test_who_does_not_work_with_whatsapp_sends_nothing(self):
        for user in (self.plain, self.portal):
            self.refused(lambda user=user: self.dialog(user=user))

    def test_who_may_not_read_the_document_cannot_send_it(self):
        self.receive(self.message(content="Hi"))
        dialog = self.dialog()
        self.env["ir.rule"].create(
            {
                "name": "Hidden",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {self.contact.id})]",
            }
        )
        self.refused(dialog.action_send)
        self.refused(self.dialog)
        self.assertFalse(self.rows())

    def test_a_colleagues_conversation_is_named_and_not_used(self):
        self.receive(self.message(content="Hi"))
        self.gateway.member_ids |= self.other
        self.env.invalidate_all()
        channel = self.env["discuss.channel"].search(
            [("whatsapp_phone", "=", "+525512345678")]
        )
        self.gateway.member_ids -= self.other
        channel.channel_member_ids.filtered(
            lambda member: member.partner_id == self.other.partner_id
        ).unlink()
        dialog = self.dialog(user=self.other)
        self.assertIn("has a conversation with this number", dialog.refusal)
        dialog.write({"kind": "text", "body": "Hi"})
        self.refused(dialog.action_send, UserError, "has a conversation")
        self.assertFalse(self.rows())

    def test_another_begins_no_conversation_from_a_number_that_is_not_theirs(self):
        self.offer(language="en")
        dialog = self.dialog(user=self.other)
        self.assertIn("do not work with the WhatsApp number", dialog.refusal)
        self.refused(dialog.action_send)

    def test_the_dialog_of_another_is_nobodys(self):
        self.receive(self.message(content="Hi"))
        dialog = self.dialog()
        for user in (self.other, self.plain, self.portal):
            theirs = dialog.with_user(user)
            self.refused(theirs.action_send)
            self.refused(lambda theirs=theirs: theirs.read(["preview"]))

    def test_no_other_number_is_slipped_in(self):
        self.receive(self.message(content="Hi"))
        dialog = self.dialog()
        line = dialog.recipient_id
        line.token = "5215500000000"
        self.refused(dialog.action_send, UserError, "choose to whom")

    def test_the_number_of_another_company_is_not_offered(self):
        company = self.env["res.company"].create({"name": "Other"})
        second = self.gateway.copy(
            {
                "name": "Second",
                "token": "EAAsecond",
                "whatsapp_from_phone": "10002",
                "company_id": company.id,
                "integrated_webhook_state": "integrated",
            }
        )
        self.receive(self.message(content="Hi"))
        dialog = self.dialog()
        self.assertEqual(dialog.gateway_ids, self.gateway)
        dialog.sudo().gateway_id = second
        self.refused(dialog.action_send, UserError)
        self.assertFalse(self.rows())

    def test_what_is_no_document_is_refused(self):
        for model in ("res.users", "discuss.channel", "mail.gateway", "ir.model", "x"):
            with self.subTest(model=model):
                records = self.env["res.users"].browse(1)
                self.refused(
                    lambda model=model, records=records: self.dialog(
                        records, model=model
                    ),
                    UserError,
                )

    def test_who_has_no_number_is_told_where_to_enter_it(self):
        nobody = self.env["res.partner"].create({"name": "Nobody"})
        self.refused(lambda: self.dialog(nobody), UserError, "has no phone number")

    def test_the_models_are_those_with_a_contact_or_a_number(self):
        models = self.env["whatsapp.send.document"]._document_models()
        self.assertIn("res.partner", models)
        for model in ("res.users", "discuss.channel", "mail.message", "res.company"):
            self.assertNotIn(model, models)


@tagged(BROWSER)
class TestDialog(DocumentCase, HttpCase):
    """The button and the menu of a document, in a real browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = new_test_user(
            cls.env,
            login="clerk",
            password="clerk-in-the-browser",
            groups=f"{GATEWAY_USER},base.group_partner_manager",
        )
        cls.gateway.member_ids |= cls.clerk

    def start(self, tour):
        self.start_tour(
            f"/odoo/res.partner/{self.contact.id}",
            f"mail_gateway_whatsapp_queue.{tour}",
            login="clerk",
        )
        self.env.invalidate_all()

    def test_the_button_sends_free_text_and_the_printed_document(self):
        self.receive(self.message(content="An offer, please"))
        self.start("document_text")
        row = self.rows()
        self.assertEqual(row.payload["document"]["caption"], "Here it is")
        self.assertEqual(self.note().author_id, self.clerk.partner_id)

    def test_the_menu_sends_a_template_when_the_window_is_closed(self):
        self.offer(language="en")
        self.start("document_template")
        self.assertIn("Anita", str(self.rows().payload))
