# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).

import requests

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.mail_gateway_whatsapp_queue.tools.template import Place, Variable

from .common import ConversationCase
from .test_templates import TemplateCase, described

PDF = b"%PDF-1.7 an offer"
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06"
    b"\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe"
    b"\x02\xfe\xa75\x81\x84\x00\x00\x00\x00IEND\xaeB`\x82"
)
SHOP = Place(19.4326077, -99.133208, "Tienda Centro", "Av. Juárez 1, México")


class HeaderCase(TemplateCase, ConversationCase):
    def with_header(self, kind, body="Hola", **values):
        return self.template(body, whatsapp_header=kind, **values).with_user(self.owner)

    def file(self, name="Offer.pdf", raw=PDF, user=None, **values):
        files = self.env["ir.attachment"].with_user(user or self.owner)
        holder = {"res_model": "whatsapp.send.template", "res_id": 0}
        return files.create({"name": name, "raw": raw, **holder, **values})

    def report(self, **values):
        return self.env["ir.actions.report"].create(
            {
                "name": "Offer",
                "model": "crm.lead",
                "report_name": "test.offer",
                "report_type": "qweb-pdf",
                "print_report_name": "'Offer for %s' % object.name",
                **values,
            }
        )

    def printing(self, content=PDF, kind="pdf"):
        return self.print_as(content, kind)

    def components(self, place=0):
        return self.meta.sent[place]["template"]["components"]


class TestHeaders(HeaderCase):
    def test_a_chosen_file_is_uploaded_and_shown(self):
        self.close_window()
        template, file = self.with_header("document"), self.file()
        row = template._whatsapp_send(self.channel, {}, file)
        self.assertEqual(row.message_id.attachment_ids, file.sudo())
        self.assertEqual(file.res_model, self.channel._name)
        self.assertEqual(file.res_id, self.channel.id)
        self.assertEqual((row.type, row.text), ("template", "Offer.pdf: Hola"))
        self.send_due()
        [upload, sent] = self.meta.calls
        self.assertTrue(upload[1].endswith("/media"))
        self.assertEqual(row.state, "sent")
        self.assertEqual(
            sent[2]["template"]["components"],
            [
                {
                    "type": "header",
                    "parameters": [
                        {
                            "type": "document",
                            "document": {"id": "media1", "filename": "Offer.pdf"},
                        }
                    ],
                }
            ],
        )

    def test_a_picture_has_no_name(self):
        template = self.with_header("image")
        template._whatsapp_send(self.channel, {}, self.file("a.png", PNG))
        self.send_due()
        [parameter] = self.components()[0]["parameters"]
        self.assertEqual(parameter, {"type": "image", "image": {"id": "media1"}})

    def test_a_place_is_sent_and_shown_as_a_link(self):
        template = self.with_header("location")
        row = template._whatsapp_send(self.channel, {}, SHOP)
        self.assertIn("Tienda Centro", self.texts(self.channel)[-1])
        self.assertIn("query=19.4326077,-99.133208", row.message_id.body)
        self.send_due()
        [parameter] = self.components()[0]["parameters"]
        self.assertEqual(
            parameter,
            {
                "type": "location",
                "location": {
                    "latitude": "19.4326077",
                    "longitude": "-99.133208",
                    "name": "Tienda Centro",
                    "address": "Av. Juárez 1, México",
                },
            },
        )

    def test_the_report_of_the_document_is_printed_as_its_user(self):
        printed = self.printing()
        template = self.with_header("document", whatsapp_report_id=self.report().id)
        self.assertEqual(template._whatsapp_header_source(), "report")
        row = template._whatsapp_send(self.channel, {})
        self.assertEqual(printed, [(self.owner, False, self.lead.ids)])
        file = row.message_id.attachment_ids
        self.assertEqual((file.raw, file.mimetype), (PDF, "application/pdf"))
        self.assertEqual(file.name, f"Offer for {self.lead.name}.pdf")
        self.assertEqual(file.res_id, self.channel.id)

    def test_who_may_not_read_the_document_cannot_send_its_report(self):
        printed = self.printing()
        template = self.with_header("document", whatsapp_report_id=self.report().id)
        self.channel.sudo().add_members(
            partner_ids=self.tomas.partner_id.ids, post_joined_message=False
        )
        self.lead.user_id = self.sofia
        theirs = template.with_user(self.tomas)
        self.assertFalse(self.lead.with_user(self.tomas).has_access("read"))
        for lead in (self.lead, self.lead.sudo()):
            with self.assertRaises(AccessError):
                theirs._whatsapp_header_of(lead)
        with self.assertRaises(AccessError):
            theirs._whatsapp_send(self.channel.with_user(self.tomas), {})
        self.assertFalse(printed)

    def test_a_report_for_others_is_not_printed(self):
        self.printing()
        groups = "group_ids" if "group_ids" in self.report()._fields else "groups_id"
        managers = self.env.ref("base.group_system")
        report = self.report(**{groups: managers.ids})
        template = self.with_header("document", whatsapp_report_id=report.id)
        with self.assertRaisesRegex(AccessError, "print"):
            template._whatsapp_header_of(self.lead)

    def test_without_a_document_there_is_nothing_to_print(self):
        self.printing()
        template = self.with_header("document", whatsapp_report_id=self.report().id)
        for record in (None, self.lead.browse(), self.owner.partner_id):
            with self.assertRaisesRegex(UserError, "none of that kind"):
                template._whatsapp_header_of(record)

    def test_what_is_no_pdf_is_not_sent_as_one(self):
        self.printing(b"<html/>", "html")
        template = self.with_header("document", whatsapp_report_id=self.report().id)
        with self.assertRaisesRegex(UserError, "PDF"):
            template._whatsapp_header_of(self.lead)

    def test_a_fixed_file_stays_with_the_template(self):
        holder = {"res_model": "mail.whatsapp.template", "res_id": 0}
        file = self.file("Menu.pdf", user=self.env.user, **holder)
        template = self.with_header(
            "document", whatsapp_file_ids=[Command.set(file.ids)]
        )
        self.assertEqual(file.res_id, template.id)
        self.assertEqual(template._whatsapp_header_source(), "file")
        for _time in range(2):
            row = template._whatsapp_send(self.channel, {})
            shown = row.message_id.attachment_ids
            self.assertEqual((shown.name, shown.raw), ("Menu.pdf", PDF))
            self.assertNotEqual(shown, file)
        self.assertEqual(file.res_model, "mail.whatsapp.template")

    def test_a_place_of_the_template_is_sent_by_itself(self):
        template = self.with_header(
            "location",
            whatsapp_place_name="Shop",
            whatsapp_coordinates="1.5, -2",
        )
        self.assertEqual(template._whatsapp_header_of(), Place(1.5, -2, "Shop"))

    def test_coordinates_of_the_template_are_two_numbers(self):
        template = self.with_header("location").sudo()
        for wrong in ("north", "19.4", "91, 0", "0, 181"):
            with self.assertRaises(ValidationError):
                template.whatsapp_coordinates = wrong
        template.whatsapp_coordinates = "40,4168; -3,7038"

    def test_what_is_missing_or_wrong_is_said_before_it_is_queued(self):
        document = self.with_header("document")
        place = self.with_header("location", name="P")
        text = self.file("a.txt", b"Hi")
        for template, header, words in (
            (document, None, "needs this in its header: Document"),
            (document, SHOP, "needs this in its header: Document"),
            (place, None, "enter the name and the coordinates"),
            (place, text, "needs this in its header: Place"),
            (document, text, "no files of type text/plain. Allowed are PDF"),
            (self.with_header("image", name="I"), self.file(), "JPEG, PNG"),
            (self.with_header("video", name="V"), self.file(), "MP4, 3GP"),
            (document, self.file(raw=b"", mimetype="application/pdf"), "empty"),
            (place, Place(91, 0, "A"), "latitude"),
            (place, Place(1, 181, "A"), "longitude"),
            (place, Place(1, 1, " "), "has no name"),
        ):
            with self.subTest(words=words), self.assertRaisesRegex(UserError, words):
                template._whatsapp_send(self.channel, {}, header)
        self.assertEqual(self.texts(self.channel), ["Hi"])
        self.assertFalse(self.env["whatsapp.message.queue"].search([]))

    def test_too_large_a_file_is_refused(self):
        template, file = self.with_header("image"), self.file("a.png", PNG)
        file.flush_recordset()
        self.env.cr.execute(
            "UPDATE ir_attachment SET file_size = %s WHERE id = %s",
            (6 * 2**20, file.id),
        )
        file.invalidate_recordset()
        with self.assertRaisesRegex(UserError, "6.0 MB; WhatsApp accepts 5 MB"):
            template._whatsapp_send(self.channel, {}, file)

    def test_a_file_that_one_may_not_read_is_not_sent(self):
        template = self.with_header("document").with_user(self.owner)
        theirs = self.file(user=self.tomas if self.owner == self.sofia else self.sofia)
        with self.assertRaises(AccessError):
            template._whatsapp_send(self.channel, {}, theirs.sudo())

    def test_a_wrong_fixed_file_is_refused_when_it_is_chosen(self):
        file = self.file("a.png", PNG)
        with self.assertRaisesRegex(ValidationError, "Allowed are PDF"):
            self.with_header("document", whatsapp_file_ids=file.ids)
        with self.assertRaisesRegex(ValidationError, "other documents"):
            report = self.report(model="res.partner")
            self.with_header("document", name="R", whatsapp_report_id=report.id)

    def test_an_upload_that_fails_is_tried_again_and_sent_once(self):
        row = self.with_header("document")._whatsapp_send(self.channel, {}, self.file())
        self.meta.answers = [requests.ConnectionError("refused")]
        self.send_due()
        self.assertEqual((row.state, self.meta.sent), ("queued", []))
        row.sudo().next_attempt_at = False
        self.send_due()
        self.assertEqual((row.state, len(self.meta.sent)), ("sent", 1))
        self.assertNotIn("uploaded when", str(self.meta.sent))

    def test_a_timeout_after_the_upload_is_uncertain_and_not_repeated(self):
        row = self.with_header("document")._whatsapp_send(self.channel, {}, self.file())
        self.meta.answers = [(200, {"id": "m1"}), requests.ReadTimeout("late")]
        self.send_due()
        self.assertEqual(row.state, "uncertain")
        self.send_due()
        self.assertEqual(len(self.meta.sent), 1)

    def test_what_a_crash_left_is_uncertain(self):
        row = self.with_header("document")._whatsapp_send(self.channel, {}, self.file())
        row.sudo().state = "sending"
        self.send_due()
        self.assertEqual((row.state, self.meta.calls), ("uncertain", []))

    def test_a_file_that_changed_meanwhile_is_not_sent(self):
        row = self.with_header("document")._whatsapp_send(self.channel, {}, self.file())
        row.message_id.attachment_ids.sudo().raw = b"%PDF-1.7 another"
        self.send_due()
        self.assertEqual((row.state, self.meta.calls), ("failed", []))


class TestButtons(HeaderCase):
    buttons = [
        {"type": "QUICK_REPLY", "text": "Acepto"},
        {"type": "URL", "text": "Ver", "url": "https://x.example/{{1}}"},
        {"type": "PHONE_NUMBER", "text": "Llamar", "phone_number": "+525512345678"},
        {"type": "COPY_CODE", "example": ["25OFF"]},
        {"type": "FLOW", "text": "Reservar", "flow_id": 7, "flow_action": "navigate"},
        {"type": "CATALOG", "text": "Ver catálogo"},
    ]

    def imported(self, *parts, **values):
        body = {"type": "BODY", "text": "Hola {{1}}"}
        components = [*parts, body, {"type": "BUTTONS", "buttons": self.buttons}]
        values = {"components": components, **values}
        templates = self.env["mail.whatsapp.template"]
        templates._whatsapp_import(self.gateway, [described("1", "offer", **values)])
        found = templates.search([("template_uid", "=", "1")])
        self.assertFalse(found.whatsapp_unsupported)
        return found.with_user(self.owner)

    def test_every_button_is_imported_and_sent_as_meta_documents_it(self):
        template = self.imported({"type": "HEADER", "format": "DOCUMENT"})
        self.assertEqual(template.whatsapp_header, "document")
        self.assertEqual(
            template.button_ids.mapped("button_type"),
            ["quick_reply", "url", "phone_number", "copy_code", "flow", "catalog"],
        )
        self.assertEqual(
            template._whatsapp_variables(),
            [
                Variable("body", "1"),
                Variable("button", "1", 1),
                Variable("code", "code", 3),
            ],
        )
        values = dict(
            zip(template._whatsapp_variables(), ("Ana", "S42", "VERANO"), strict=True)
        )
        template._whatsapp_send(self.channel, values, self.file())
        self.assertIn("Copy code: VERANO", self.texts(self.channel)[-1])
        self.send_due()
        _header, _body, *buttons = self.components()
        self.assertEqual(
            buttons,
            [
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": "0",
                    "parameters": [{"type": "payload", "payload": "offer/0"}],
                },
                {
                    "type": "button",
                    "sub_type": "url",
                    "index": "1",
                    "parameters": [{"type": "text", "text": "S42"}],
                },
                {
                    "type": "button",
                    "sub_type": "copy_code",
                    "index": 3,
                    "parameters": [{"type": "coupon_code", "coupon_code": "VERANO"}],
                },
                {
                    "type": "button",
                    "sub_type": "flow",
                    "index": "4",
                    "parameters": [
                        {"type": "action", "action": {"flow_token": "offer/4"}}
                    ],
                },
                {"type": "button", "sub_type": "CATALOG", "index": 5},
            ],
        )

    def test_what_meta_describes_again_is_not_there_twice(self):
        template = self.imported()
        before = template.button_ids
        again = self.imported({"type": "HEADER", "format": "LOCATION"})
        self.assertEqual((again, again.button_ids), (template, before))
        self.assertEqual(again.whatsapp_header, "location")
        self.buttons = self.buttons[:2]
        self.assertEqual(self.imported().button_ids, before[:2])
        self.assertFalse(again.whatsapp_header)

    def test_a_code_is_asked_for_and_looked_at(self):
        template = self.imported()
        name, end, code = template._whatsapp_variables()
        for value, words in (("", "is empty"), ("25 %", "letters and digits")):
            with self.assertRaisesRegex(UserError, words):
                template._whatsapp_send(
                    self.channel, {name: "Ana", end: "a", code: value}
                )
        self.assertTrue(template.whatsapp_has_code)
        with self.assertRaisesRegex(ValidationError, "letters and digits"):
            template.sudo().whatsapp_code = "not one"
        template.sudo().whatsapp_code = "25OFF"
        self.assertEqual(template._whatsapp_default(code, None), "25OFF")

    def test_an_action_sends_the_report_of_its_document(self):
        printed = self.printing()
        template = self.with_header("document", whatsapp_report_id=self.report().id)
        action = self.env["ir.actions.server"].create(
            {
                "name": "Offer",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "whatsapp",
                "whatsapp_gateway_id": self.gateway.id,
                "whatsapp_template_id": template.id,
            }
        )
        action.with_context(active_ids=self.lead.ids, active_model="crm.lead").run()
        self.assertEqual([ids for _user, _su, ids in printed], [self.lead.ids])
        self.send_due()
        self.assertEqual(len(self.meta.sent), 1)


class TestDialog(HeaderCase):
    def test_a_wrong_file_is_refused_when_it_is_chosen(self):
        template = self.with_header("document")
        wizard = self.wizard(template)
        wrong, right = self.file("a.png", PNG), self.file()
        wizard.file_ids = [Command.set(wrong.ids)]
        warning = wizard._onchange_file_ids()["warning"]
        self.assertIn("Allowed are PDF", warning["message"])
        self.assertFalse(wizard.file_ids)
        wizard.file_ids = [Command.set(right.ids)]
        self.assertFalse(wizard._onchange_file_ids())
        self.assertIn("Offer.pdf", str(wizard.preview))
        wizard.action_send()
        self.send_due()
        self.assertEqual(len(self.meta.sent), 1)

    def test_nothing_is_told_of_a_file_that_one_may_not_read(self):
        template, dialog = (
            self.with_header("document"),
            self.env["whatsapp.send.template"].with_user(self.owner),
        )
        other = self.tomas if self.owner == self.sofia else self.sofia
        theirs = self.file("Secret.pdf", user=other)
        values = {"channel_id": self.channel.id, "template_id": template.id}
        spec = {"preview": {}, "file_ids": {"fields": {"name": {}}}}
        for commands in ([[4, theirs.id]], [[6, 0, theirs.ids]]):
            shown = {**values, "file_ids": commands}
            with self.assertRaises(AccessError):
                dialog.onchange(shown, ["file_ids"], spec)
            with self.assertRaises(AccessError):
                dialog.create(shown)
        own = {**values, "file_ids": [[4, self.file("Mine.pdf").id]]}
        answer = dialog.onchange(own, ["file_ids"], spec)
        self.assertIn("Mine.pdf", answer["value"]["preview"])

    def test_without_a_file_it_says_what_is_missing(self):
        wizard = self.wizard(self.with_header("video"))
        self.assertIn("<mark>Video</mark>", str(wizard.preview))
        with self.assertRaisesRegex(UserError, "in its header: Video"):
            wizard.action_send()

    def test_the_preview_shows_the_header_and_the_buttons(self):
        template = self.template(
            "Hola",
            whatsapp_header="image",
            button_ids=[Command.create({"name": "Si", "button_type": "quick_reply"})],
        )
        wizard, file = self.wizard(template), self.file("<a>.png", PNG)
        wizard.file_ids = [Command.set(file.ids)]
        preview = str(wizard.preview)
        self.assertIn(f'src="/web/image/{file.id}"', preview)
        self.assertIn("&lt;a&gt;.png", preview)
        self.assertIn("fa-reply", preview)

    def test_the_name_of_the_report_is_for_who_reads_the_document(self):
        self.printing()
        template = self.with_header("document", whatsapp_report_id=self.report().id)
        wizard = self.wizard(template)
        self.assertEqual(wizard.header_source, "report")
        self.assertIn(f"Offer for {self.lead.name}.pdf", str(wizard.preview))
        self.channel.sudo().add_members(
            partner_ids=self.tomas.partner_id.ids, post_joined_message=False
        )
        self.lead.user_id = self.sofia
        theirs = self.wizard(template, user=self.tomas)
        self.assertNotIn(self.lead.name, str(theirs.preview))
        with self.assertRaises(AccessError):
            theirs.action_send()

    def test_the_place_of_the_template_is_proposed(self):
        template = self.with_header("location", whatsapp_place_name="Shop")
        wizard = self.wizard(template)
        self.assertEqual(wizard.place_name, "Shop")
        for coordinates, words in (("", "coordinates"), ("91, 0", "from -90 to 90")):
            wizard.coordinates = coordinates
            with self.assertRaisesRegex(UserError, words):
                wizard.action_send()
        wizard.coordinates = "19.4"
        self.assertIn("<mark>Place", str(wizard.preview))
        with self.assertRaisesRegex(UserError, "as a map shows them"):
            wizard.action_send()
        wizard.write({"coordinates": "19.4, -99.1", "place_address": "Main 1"})
        self.assertIn("Main 1", str(wizard.preview))
        wizard.action_send()
        self.send_due()
        [parameter] = self.components()[0]["parameters"]
        self.assertEqual(parameter["location"]["address"], "Main 1")

    def test_what_cannot_be_sent_is_listed_last_with_the_reason(self):
        self.template("Aaa", name="Carousel").write(
            {"whatsapp_unsupported": "carousel", "is_supported": False}
        )
        self.template("Zzz", name="Zzz")
        dialog = self.env["whatsapp.send.template"].with_user(self.owner)
        first, last = dialog.choices(self.channel.id)
        self.assertEqual((first["text"], first["why_not"]), ("Zzz", ""))
        self.assertIn("carousel", last["why_not"])
        self.assertEqual(self.wizard().template_id.name, "Zzz")
