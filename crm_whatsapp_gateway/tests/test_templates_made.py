# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import requests

from odoo import Command
from odoo.exceptions import AccessError, UserError

from .common import GROUPS, WhatsappCase
from .test_template_headers import PNG, HeaderCase
from .test_templates import TemplateCase, described

PENDING = (200, {"id": "77", "status": "PENDING"})
REFUSED = {"code": 100, "message": "Invalid parameter"}


class MadeCase(TemplateCase):
    def draft(self, body="Hola {{1}}, tu pedido está listo.", **values):
        values = {"state": "draft", "is_supported": False, **values}
        values.setdefault("name", "Aviso de pedido")
        values.setdefault("template_name", False)
        draft = self.template(body, **values)
        for row in draft.variable_ids:
            row.sample_value = f"muestra {row.name.strip('{}')}"
        return draft

    def submit(self, template, *answers):
        self.meta.calls.clear()
        self.meta.answers = list(answers)
        template.button_export_template()
        self.assertFalse(self.meta.answers)
        return self.meta.calls


class TestMade(MadeCase, WhatsappCase):
    def test_a_new_template_is_submitted_whole(self):
        draft = self.draft(
            footer="Hasta pronto",
            header="Pedido {{1}}",
            button_ids=[
                Command.create({"name": "Gracias", "sequence": 1}),
                Command.create(
                    {
                        "name": "Ver",
                        "sequence": 2,
                        "button_type": "url",
                        "url_type": "dynamic",
                        "website_url": "https://example.com/",
                        "whatsapp_sample": "S42",
                    }
                ),
            ],
        )
        self.assertEqual(draft.template_name, "aviso_de_pedido")
        self.assertFalse(draft._whatsapp_problems())
        [(method, path, sent)] = self.submit(draft, PENDING)
        self.assertEqual((method, path), ("POST", "20001/message_templates"))
        self.assertEqual(
            sent,
            {
                "name": "aviso_de_pedido",
                "category": "UTILITY",
                "language": "es_MX",
                "components": [
                    {
                        "type": "HEADER",
                        "format": "TEXT",
                        "text": "Pedido {{1}}",
                        "example": {"header_text": ["muestra 1"]},
                    },
                    {
                        "type": "BODY",
                        "text": "Hola {{1}}, tu pedido está listo.",
                        "example": {"body_text": [["muestra 1"]]},
                    },
                    {"type": "FOOTER", "text": "Hasta pronto"},
                    {
                        "type": "BUTTONS",
                        "buttons": [
                            {"type": "QUICK_REPLY", "text": "Gracias"},
                            {
                                "type": "URL",
                                "text": "Ver",
                                "url": "https://example.com/{{1}}",
                                "example": ["https://example.com/S42"],
                            },
                        ],
                    },
                ],
            },
        )
        self.assertEqual((draft.template_uid, draft.state), ("77", "pending"))
        # what a customer gets has the end of the link, too
        self.assertIn(
            ("button", 1), {(v.part, v.index) for v in draft._whatsapp_variables()}
        )
        with self.assertRaisesRegex(UserError, "has this template already"):
            draft.button_export_template()

    def test_variables_with_names_are_told(self):
        draft = self.draft("Hola {{nombre}}, tu pedido está listo.")
        [(_method, _path, sent)] = self.submit(draft, PENDING)
        self.assertEqual(sent["parameter_format"], "NAMED")
        self.assertEqual(
            sent["components"][0]["example"],
            {
                "body_text_named_params": [
                    {"param_name": "nombre", "example": "muestra nombre"}
                ]
            },
        )

    def test_what_meta_would_refuse_is_said_where_it_is_typed(self):
        draft = self.draft(
            "{{1}}, tu pedido está listo.",
            footer="x" * 61,
            header="*Hola*",
            button_ids=[
                Command.create({"name": "Sí", "sequence": 1}),
                Command.create(
                    {
                        "name": "Llamar",
                        "sequence": 2,
                        "button_type": "phone_number",
                        "call_number": "+525512345678",
                    }
                ),
                Command.create({"name": "No", "sequence": 3}),
            ],
        )
        draft.variable_ids.sample_value = "Sample Value"
        self.assertIn("beginning", draft.whatsapp_problem_body)
        self.assertIn("sample for {{1}}", draft.whatsapp_problem_body)
        self.assertIn("61 characters", draft.whatsapp_problem_footer)
        self.assertIn("signs", draft.whatsapp_problem_header)
        self.assertIn("stand together", draft.whatsapp_problem_buttons)
        self.assertFalse(draft.whatsapp_problem_name)
        with self.assertRaisesRegex(UserError, "(?s)Header: .*Text: .*Footer: "):
            draft.button_export_template()
        self.assertFalse(self.meta.calls)
        draft.state = "approved"
        self.assertFalse(draft.whatsapp_problem_body, "it can no longer be changed")

    def test_an_answer_that_was_lost_makes_no_second_template(self):
        draft = self.draft()
        found = described(
            "77", "aviso_de_pedido", draft.body, language="es_MX", status="PENDING"
        )
        cut = requests.ReadTimeout()
        self.submit(draft, cut, (200, {"data": [found]}))
        self.assertEqual((draft.template_uid, draft.state), ("77", "pending"))
        # and a second click from before
        other = self.draft(name="Aviso  de pedido")
        exists = {**REFUSED, "error_subcode": 2388024}
        self.submit(other, (400, {"error": exists}), (200, {"data": [found]}))
        self.assertEqual(other.template_uid, "77")
        third = self.draft("Otro texto de aquí", name="Aviso de  pedido")
        with self.assertRaisesRegex(UserError, "choose another name"):
            self.submit(third, (400, {"error": exists}), (200, {"data": [found]}))
        self.assertEqual((third.template_uid, third.state), (False, "draft"))

    def test_what_meta_has_is_changed(self):
        template = self.template("Hola", template_uid="77")
        template.button_back2draft()
        self.assertEqual(template.whatsapp_meta_state, "approved")
        self.assertIn("Meta still has the one of before", template.whatsapp_state_words)
        template.write({"body": "Buenos días", "category": "marketing"})
        edited, asked = self.submit(
            template, (200, {"success": True}), (200, {"status": "PENDING"})
        )
        # its category stays, as Meta demands
        self.assertEqual(
            edited,
            ("POST", "77", {"components": [{"type": "BODY", "text": "Buenos días"}]}),
        )
        self.assertEqual(asked[:2], ("GET", "77"))
        self.assertEqual(template.state, "pending")
        with self.assertRaisesRegex(UserError, "in this state"):
            template.button_back2draft()
        template.state = "rejected"
        template.button_back2draft()
        edited, _asked = self.submit(
            template, (200, {"success": True}), (500, {"error": {"code": 2}})
        )
        self.assertEqual(edited[2]["category"], "MARKETING")
        self.assertEqual(template.state, "pending", "it was taken all the same")

    def test_meta_s_limit_of_changes_is_told_in_words(self):
        template = self.template("Hola", template_uid="77")
        template.button_back2draft()
        with self.assertRaisesRegex(UserError, "once in 24 hours.*Invalid parameter"):
            self.submit(template, (400, {"error": REFUSED}))
        self.assertEqual(template.state, "draft")
        with self.assertRaisesRegex(UserError, "Wait until it is approved"):
            self.submit(
                template, (400, {"error": {**REFUSED, "error_subcode": 2388039}})
            )

    def test_what_is_being_changed_is_not_overwritten(self):
        template = self.template("Hola", template_uid="77")
        template.button_back2draft()
        template.body = "Buenos días"
        self.meta.answers = [(200, {"data": [described("77", body="Hola")]})]
        self.gateway.button_import_whatsapp_template()
        self.assertEqual((template.body, template.state), ("Buenos días", "draft"))
        template._whatsapp_take_state("paused")
        self.assertEqual(template.state, "draft")
        self.assertEqual(template.whatsapp_meta_state, "paused")
        # the button brings back what Meta has
        self.meta.answers = [(200, described("77", body="Hola"))]
        template.button_sync_template()
        self.assertEqual((template.body, template.state), ("Hola", "approved"))
        self.assertFalse(template.whatsapp_meta_state)

    def test_a_template_is_deleted_in_its_language_only(self):
        template = self.template("Hola", template_uid="77")
        self.meta.answers = [(200, {"success": True})]
        template.action_whatsapp_delete()
        self.assertEqual(self.meta.calls[-1][:2], ("DELETE", "20001/message_templates"))
        self.assertEqual(template.state, "deleted")
        template.state = "approved"
        gone = {**REFUSED, "error_subcode": 2593002}
        self.meta.answers = [(400, {"error": gone})]
        template.action_whatsapp_delete()
        self.assertEqual(template.state, "deleted", "somebody else was faster")
        template.state = "disabled"
        self.meta.answers = [(400, {"error": REFUSED})]
        with self.assertRaisesRegex(UserError, "Invalid parameter"):
            template.action_whatsapp_delete()
        self.assertEqual(template.state, "disabled")
        template.state = "deleted"
        template.button_back2draft()
        self.assertEqual((template.template_uid, template.state), (False, "draft"))

    def test_only_who_may_change_templates_does(self):
        template = self.template("Hola", template_uid="77")
        portal = self.env["res.users"].create(
            {
                "name": "Portal",
                "login": "made-portal",
                GROUPS: self.env.ref("base.group_portal").ids,
            }
        )
        for user in (self.sofia, self.tomas, portal):
            theirs = template.with_user(user)
            for action in (
                theirs.button_export_template,
                theirs.button_back2draft,
                theirs.button_sync_template,
                theirs.action_whatsapp_delete,
            ):
                with self.assertRaises(AccessError):
                    action()
        self.assertFalse(self.meta.calls)

    def test_samples_and_forms_of_meta_are_kept_for_a_change(self):
        button = {
            "type": "FLOW",
            "text": "Reservar",
            "flow_id": 123,
            "navigate_screen": "INICIO",
        }
        parts = [
            {
                "type": "BODY",
                "text": "Hola {{1}}, buenos días",
                "example": {"body_text": [["Ana"]]},
            },
            {"type": "BUTTONS", "buttons": [button]},
        ]
        self.meta.answers = [(200, {"data": [described("77", components=parts)]})]
        self.gateway.button_import_whatsapp_template()
        template = self.env["mail.whatsapp.template"].search(
            [("template_uid", "=", "77")]
        )
        self.assertEqual(template.variable_ids.sample_value, "Ana")
        self.assertEqual(template.button_ids.whatsapp_form, "123")
        template.button_back2draft()
        sent = template._prepare_values_to_export()["components"]
        self.assertEqual(sent[0], parts[0])
        self.assertEqual(
            sent[1]["buttons"][0],
            {**button, "flow_id": "123", "flow_action": "navigate"},
        )


class TestSamples(MadeCase, HeaderCase):
    def uploads(self, *more):
        return [
            (200, {"data": {"app_id": "30001"}}),
            (200, {"id": "upload:MTp=?sig=AR"}),
            *more,
        ]

    def test_the_sample_of_a_header_goes_through_meta_s_upload(self):
        file = self.file("a.png", PNG, user=self.env.user)
        draft = self.draft(whatsapp_header="image")
        self.assertIn("sample file", draft.whatsapp_problem_header)
        draft.whatsapp_sample_ids = file
        self.assertFalse(draft.whatsapp_problem_header)
        calls = self.submit(draft, *self.uploads((200, {"h": "4::aW"}), PENDING))
        self.assertEqual(
            [call[:2] for call in calls],
            [
                ("GET", "debug_token"),
                ("POST", "30001/uploads"),
                ("POST", "upload:MTp=?sig=AR"),
                ("POST", "20001/message_templates"),
            ],
        )
        self.assertEqual(
            calls[-1][2]["components"][0],
            {
                "type": "HEADER",
                "format": "IMAGE",
                "example": {"header_handle": ["4::aW"]},
            },
        )

    def test_an_upload_that_broke_off_goes_on(self):
        draft = self.draft(whatsapp_header="document")
        calls = self.submit(
            draft,
            *self.uploads(
                requests.ConnectionError(),
                (200, {"id": "upload:MTp=?sig=AR", "file_offset": 10}),
                (200, {"h": "4::aW"}),
                PENDING,
            ),
        )
        self.assertEqual(calls[3][:2], ("GET", "upload:MTp=?sig=AR"))
        self.assertEqual(draft.state, "pending")

    def test_without_an_upload_nothing_is_made(self):
        draft = self.draft(whatsapp_header="document")
        with self.assertRaises(UserError):
            self.submit(draft, *self.uploads((400, {"error": REFUSED})))
        self.assertEqual((draft.template_uid, draft.state), (False, "draft"))

    def test_the_sample_is_for_who_may_read_the_template(self):
        draft = self.draft(whatsapp_header="image")
        file = self.file("a.png", PNG, user=self.env.user, res_model=draft._name)
        draft.whatsapp_sample_ids = file
        self.assertEqual(file.res_id, draft.id)


class TestStates(MadeCase, WhatsappCase):
    def report(self, event, **values):
        value = {
            "event": event,
            "message_template_id": 77,
            "message_template_name": "greeting",
            "message_template_language": "es-MX",
            **values,
        }
        change = {"field": "message_template_status_update", "value": value}
        moment = 1770000000 + next(self.times)
        entry = {"id": "20001", "time": moment, "changes": [change]}
        body = {"object": "whatsapp_business_account", "entry": [entry]}
        self.assertEqual(self.post(body).status_code, 200)
        self.drain()

    def set_scene(self):
        super().set_scene()
        self.times = iter(range(100))

    def test_a_refusal_is_told_with_its_reason_and_what_to_do(self):
        template = self.template("Hola", template_uid="77", state="pending")
        self.assertIn("24 hours", template.whatsapp_state_words)
        self.report(
            "REJECTED",
            reason="INVALID_FORMAT",
            rejection_info={
                "reason": "A variable stands at the end",
                "recommendation": "Write a word after it.",
            },
        )
        self.assertEqual(template.state, "rejected")
        words = template.whatsapp_state_words
        self.assertTrue(words.startswith("Write a word after it.\nThe form is wrong"))
        self.assertIn("submit it again", words)
        self.report("REJECTED", reason="REASON_OF_2027")
        self.assertIn("REASON_OF_2027", template.whatsapp_state_words)
        self.report("APPROVED", reason="NONE")
        self.assertEqual(template.state, "approved")
        self.assertFalse(template.whatsapp_state_words)
        self.assertFalse(template.whatsapp_rejected_reason)

    def test_a_pause_is_told_in_words(self):
        template = self.template("Hola", template_uid="77")
        self.report(
            "PAUSED",
            other_info={"title": "FIRST_PAUSE", "description": "Paused for 3 hours."},
        )
        self.assertEqual(template.state, "paused")
        self.assertTrue(template.whatsapp_state_words.startswith("Paused for 3 hours."))
        self.assertIn("blocked or reported", template.whatsapp_state_words)

    def test_every_state_is_told(self):
        template = self.template("Hola", template_uid="77")
        for state, _label in template._fields["state"].selection:
            template.state = state
            self.assertEqual(bool(template.whatsapp_state_words), state != "approved")


class TestLibrary(MadeCase, WhatsappCase):
    """Ready templates."""

    def dialog(self, language="es_MX", keys=()):
        dialog = self.env["whatsapp.template.library"].create(
            {"gateway_id": self.gateway.id, "language": language}
        )
        if keys:
            examples = dialog.example_ids
            dialog.example_ids = examples.filtered(lambda one: one.key in keys)
        return dialog

    def made(self):
        return self.env["mail.whatsapp.template"].search(
            [("gateway_id", "=", self.gateway.id)]
        )

    def test_each_example_is_one_that_meta_takes(self):
        examples = self.env["whatsapp.template.example"].search([])
        keys = set(examples.mapped("key"))
        self.assertEqual(len(examples), 3 * len(keys))
        self.assertGreaterEqual(len(keys), 7)
        for example in examples:
            made = example._whatsapp_make(self.gateway)
            with self.subTest(example.name, language=example.language):
                self.assertFalse(made._whatsapp_problems())
                self.assertEqual(made.language, example.language)
                samples = made.variable_ids.mapped("sample_value")
                self.assertNotIn("Sample Value", samples)

    def test_fields_fill_it_where_their_model_is_installed(self):
        example = self.env["whatsapp.template.example"].search(
            [("key", "=", "follow_up"), ("language", "=", "es_MX")]
        )
        made = example._whatsapp_make(self.gateway)
        self.assertEqual(made.model, "crm.lead")
        fields_of = {row.name: row.field_name for row in made.variable_ids}
        self.assertEqual(fields_of["{{2}}"], "user_id.name")
        example.write({"model": "no.such.model", "name": "Otro"})
        made = example._whatsapp_make(self.gateway)
        self.assertEqual(made.model, "res.partner")
        self.assertFalse(any(made.variable_ids.mapped("field_name")))

    def test_chosen_ones_are_submitted_once(self):
        keys = ("delivery", "follow_up")
        dialog = self.dialog(keys=keys)
        self.meta.answers = [
            (200, {"id": "1", "status": "PENDING"}),
            (200, {"id": "2", "status": "APPROVED"}),
        ]
        dialog.action_submit()
        self.assertEqual(self.made().mapped("template_uid"), ["1", "2"])
        self.assertIn("submitted", dialog.result)
        self.meta.calls.clear()
        dialog = self.dialog(keys=keys)
        dialog.action_submit()
        self.assertEqual(dialog.result.count("there already"), 2)
        self.assertEqual((len(self.made()), self.meta.calls), (2, []))

    def test_what_meta_refuses_stays_a_draft_and_is_tried_again(self):
        keys = ("delivery", "follow_up")
        dialog = self.dialog("en", keys)
        self.meta.answers = [
            (400, {"error": REFUSED}),
            (200, {"id": "2", "status": "PENDING"}),
        ]
        dialog.action_submit()
        self.assertIn("Invalid parameter", dialog.result)
        self.assertEqual(sorted(self.made().mapped("state")), ["draft", "pending"])
        self.meta.answers = [(200, {"id": "1", "status": "PENDING"})]
        self.dialog("en", keys).action_submit()
        self.assertEqual(set(self.made().mapped("state")), {"pending"})
        self.assertEqual(len(self.made()), 2)

    def test_it_stops_while_meta_is_away(self):
        dialog = self.dialog("es_ES")
        self.meta.answers = [requests.ConnectTimeout()]
        dialog.action_submit()
        self.assertEqual(dialog.result.count("not tried"), len(dialog.example_ids) - 1)
        self.assertEqual(len(self.made()), 1)

    def test_only_who_may_change_templates_submits_them(self):
        dialog = self.dialog()
        with self.assertRaises(AccessError):
            dialog.with_user(self.sofia).action_submit()
        with self.assertRaises(AccessError):
            self.env["whatsapp.template.library"].with_user(self.sofia).create({})
        self.gateway.whatsapp_account_id = False
        with self.assertRaisesRegex(UserError, "account ID first"):
            dialog.action_submit()
