# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import html2plaintext, mute_logger

from .common import ANA, ConversationCase, WhatsappCase

QUEUE = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_message_queue"


def described(uid, name="hello", body="Hello {{1}}", **values):
    """A template as Meta describes it."""
    return {
        "id": uid,
        "name": name,
        "language": "es_MX",
        "category": "UTILITY",
        "status": "APPROVED",
        "components": [{"type": "BODY", "text": body}],
        **values,
    }


class TemplateCase(WhatsappCase):
    def wizard(self, template=None, user=None, channel=None):
        channel = channel or self.channel
        values = {"template_id": template.id} if template else {}
        return (
            self.env["whatsapp.send.template"]
            .with_user(user or channel.lead_id.user_id)
            .with_context(default_channel_id=channel.id)
            .create(values)
        )

    def close_window(self):
        self.channel.whatsapp_last_customer_date = fields.Datetime.now() - timedelta(
            hours=25
        )


class TestTemplates(TemplateCase, ConversationCase):
    def sync(self, *pages):
        self.meta.answers = [(200, page) for page in pages]
        return self.gateway.button_import_whatsapp_template()

    def page(self, *templates, after=None):
        paging = {"cursors": {"after": after}, "next": "https://x"} if after else {}
        return {"data": list(templates), "paging": paging}

    def found(self):
        return self.env["mail.whatsapp.template"].search(
            [("gateway_id", "=", self.gateway.id)]
        )

    def test_every_page_is_read_and_every_state_understood(self):
        self.sync(
            self.page(
                described("1", "one", quality_score={"score": "GREEN"}),
                described("2", "two", status="PAUSED"),
                after="A",
            ),
            self.page(
                described("3", "three", status="A_STATE_OF_2027", category="NEW"),
                described("4", "four", status="REJECTED", rejected_reason="SCAM"),
                {"id": "5"},
            ),
        )
        states = {t.template_name: t.state for t in self.found()}
        self.assertEqual(
            states,
            {
                "one": "approved",
                "two": "paused",
                "three": "disabled",
                "four": "rejected",
            },
        )
        one, _two, _three, four = self.found().sorted("template_uid")
        self.assertEqual(one.whatsapp_quality, "GREEN")
        self.assertEqual(four.whatsapp_rejected_reason, "SCAM")
        self.sync(self.page(described("1", "one", body="Bye {{1}}")))
        self.assertEqual(one.body, "Bye {{1}}")
        self.assertEqual(four.state, "deleted", "what is gone at Meta is gone here")

    def test_what_meta_removed_is_removed_and_a_new_one_takes_its_name(self):
        buttons = [{"type": "URL", "text": "See", "url": "https://x.example"}]
        full = [
            {"type": "HEADER", "format": "TEXT", "text": "News"},
            {"type": "BODY", "text": "Hi"},
            {"type": "BUTTONS", "buttons": buttons},
        ]
        self.sync(self.page(described("1", "order_confirm", components=full)))
        first = self.found()
        self.assertEqual((first.header, first.button_ids.name), ("News", "See"))
        renamed = [{"type": "BODY", "text": "Hi"}] + [
            {"type": "BUTTONS", "buttons": [{**buttons[0], "text": "Open"}]}
        ]
        self.sync(self.page(described("1", "order_confirm", components=renamed)))
        self.assertFalse(first.header)
        self.assertEqual(first.button_ids.mapped("name"), ["Open"])
        for _time in range(2):
            self.sync(self.page(described("2", "order_confirm")))
        self.assertEqual(first.state, "deleted")
        self.assertEqual(len(self.found()), 2)

    @mute_logger(
        "odoo.addons.mail_gateway_whatsapp_queue.models.mail_whatsapp_template"
    )
    def test_one_strange_template_does_not_stop_the_others(self):
        call = {"type": "PHONE_NUMBER", "text": "Call", "phone_number": "not a number"}
        strange = [
            {"type": "BODY", "text": "Hi"},
            {"type": "BUTTONS", "buttons": [call, 7]},
        ]
        self.sync(
            self.page(described("1", "one", components=strange), described("2", "two"))
        )
        self.assertIn("two", self.found().mapped("template_name"))
        self.meta.answers = [(200, {"unexpected": True})]
        with self.assertRaises(UserError):
            self.gateway.button_import_whatsapp_template()
        self.assertNotIn("deleted", self.found().mapped("state"))

    def test_a_template_is_handed_in_and_read_again(self):
        template = self.template("Hola", state="draft", is_supported=False)
        self.meta.answers = [(200, {"id": "77", "status": "PENDING"})]
        template.button_export_template()
        method, path, sent = self.meta.calls[-1]
        self.assertEqual((method, path), ("POST", "20001/message_templates"))
        self.assertEqual(sent["components"], [{"type": "BODY", "text": "Hola"}])
        self.assertEqual((template.template_uid, template.state), ("77", "pending"))
        self.assertTrue(template.is_supported)
        self.meta.answers = [(200, described("77", body="Buenos días"))]
        template.button_sync_template()
        self.assertEqual(self.meta.calls[-1][:2], ("GET", "77"))
        self.assertEqual((template.body, template.state), ("Buenos días", "approved"))
        self.assertEqual(template.name, "Greeting", "which may have been changed here")

    def test_a_template_that_meta_refuses_is_not_handed_in(self):
        template = self.template("Hola", state="draft")
        self.meta.answers = [
            (400, {"error": {"code": 100, "message": "Invalid parameter EAAtoken"}})
        ]
        with self.assertRaisesRegex(UserError, r"Invalid parameter \*\*\*"):
            template.button_export_template()
        self.assertEqual(template.state, "draft")
        self.gateway.whatsapp_account_id = False
        with self.assertRaisesRegex(UserError, "account ID first"):
            template.button_export_template()

    def test_a_template_of_another_number_is_refused(self):
        other = self.gateway.copy(
            {"token": "EAAother", "webhook_key": "k2", "whatsapp_from_phone": "10002"}
        )
        wizard = self.wizard(self.template(gateway_id=other.id))
        with self.assertRaisesRegex(UserError, "another number"):
            wizard.action_send()

    def test_a_colleague_s_values_cannot_be_read(self):
        with self.assertRaises(AccessError):
            self.wizard(self.template("Hello {{1}}"), user=self.tomas).line_ids.read()

    def test_what_cannot_be_sent_is_marked_with_the_reason(self):
        body = {"type": "BODY", "text": "Hi"}

        def button(kind):
            buttons = [{"type": kind, "text": "Tap"}]
            return [body, {"type": "BUTTONS", "buttons": buttons}]

        parts = {
            "header": [{"type": "HEADER", "format": "GIF"}, body],
            "button": button("BUTTON_OF_2027"),
            "component": [body, {"type": "PART_OF_2027"}],
            "carousel": [body, {"type": "CAROUSEL", "cards": []}],
            "offer": [*button("COPY_CODE"), {"type": "LIMITED_TIME_OFFER"}],
            "products": button("MPM"),
        }
        of_meta = [
            described(str(index), why, components=components)
            for index, (why, components) in enumerate(parts.items())
        ]
        code = described("9", "authentication", category="AUTHENTICATION")
        self.sync(self.page(*of_meta, code))
        templates = self.found()
        self.assertFalse(any(templates.mapped("is_supported")))
        for each in templates:
            self.assertEqual(each.whatsapp_unsupported, each.template_name)
            with self.assertRaisesRegex(UserError, "cannot be sent from here"):
                each._whatsapp_send(self.channel, {})

    def test_meta_s_refusal_is_told(self):
        self.meta.answers = [(401, {"error": {"code": 190, "message": "expired"}})]
        with self.assertRaisesRegex(UserError, "token"):
            self.gateway.button_import_whatsapp_template()

    def test_values_come_from_the_lead_and_are_seen_before_sending(self):
        template = self.template(
            "Hello {{1}}, about {{2}}: {{1}}", header="News", footer="The shop"
        )
        for variable, path in zip(
            template.variable_ids.sorted("name"), ("contact_name", "name"), strict=True
        ):
            variable.field_name = path
        self.close_window()
        wizard = self.wizard(template)
        self.assertEqual(
            wizard.line_ids.mapped("value"), ["Ana Pérez", "Ana Pérez (WhatsApp)"]
        )
        wizard.line_ids[1].value = "your kitchen"
        seen = html2plaintext(wizard.preview)
        self.assertIn("Hello Ana Pérez, about your kitchen: Ana Pérez", seen)
        self.assertIn("News", seen)
        wizard.action_send()
        self.send_due()
        [sent] = self.meta.sent
        self.assertEqual(sent["to"], "+" + ANA["from"])
        self.assertEqual(sent["template"]["name"], "greeting")
        self.assertEqual(
            sent["template"]["components"],
            [
                {
                    "type": "body",
                    "parameters": [
                        {"type": "text", "text": "Ana Pérez"},
                        {"type": "text", "text": "your kitchen"},
                    ],
                }
            ],
        )
        self.assertIn("your kitchen", self.texts(self.channel)[-1])
        self.assertFalse(self.lead.activity_ids, "it is an answer")

    def test_nothing_is_shown_before_a_template_is_chosen(self):
        wizard = self.wizard(self.template("Hello"))
        wizard.template_id = False
        self.assertFalse(wizard.preview)

    def test_named_variables_and_the_end_of_a_link(self):
        template = self.template("Hello {{first_name}}")
        template.button_ids = [
            (0, 0, {"name": "Call", "button_type": "quick_reply"}),
            (
                0,
                0,
                {
                    "name": "Order",
                    "button_type": "url",
                    "website_url": "https://shop.example/{{1}}",
                    "sequence": 5,
                },
            ),
        ]
        wizard = self.wizard(template)
        wizard.line_ids[0].value, wizard.line_ids[1].value = "Ana", "A-77"
        wizard.action_send()
        self.send_due()
        body, quick_reply, button = self.meta.sent[0]["template"]["components"]
        self.assertEqual(quick_reply["parameters"][0]["payload"], "greeting/0")
        self.assertEqual(body["parameters"][0]["parameter_name"], "first_name")
        self.assertEqual((button["index"], button["sub_type"]), ("1", "url"))
        self.assertEqual(button["parameters"][0]["text"], "A-77")

    def test_an_empty_variable_is_stopped_with_its_name(self):
        wizard = self.wizard(self.template("Your order {{1}}"))
        with self.assertRaisesRegex(UserError, "variable 1"):
            wizard.action_send()
        self.assertEqual(self.texts(self.channel), ["Hi"])

    def test_the_only_template_is_chosen(self):
        template = self.template()
        self.assertEqual(self.wizard().template_id, template)

    def test_marketing_is_stopped_by_an_opt_out(self):
        self.receive(self.message(content="¡Baja!"))
        self.assertTrue(self.channel.whatsapp_opt_out)
        with self.assertRaisesRegex(UserError, "marketing"):
            self.wizard(self.template(category="marketing")).action_send()
        self.wizard(self.template(name="Second")).action_send()
        self.receive(self.message(content="alta"))
        self.assertFalse(self.channel.whatsapp_opt_out)

    def test_who_wants_no_marketing_is_no_lead_for_it(self):
        person = {"from": "34612345678", "name": "Bob"}
        channel = self.receive(
            self.message(content="STOP", person=person), person=person
        )
        self.assertFalse(channel.lead_id)
        self.assertTrue(channel.whatsapp_opt_out)
        self.assertEqual(self.texts(channel), ["STOP"])

    def action(self, template, model="crm.lead", **values):
        return self.env["ir.actions.server"].create(
            {
                "name": "Greet",
                "model_id": self.env["ir.model"]._get_id(model),
                "state": "whatsapp",
                "whatsapp_gateway_id": self.gateway.id,
                "whatsapp_template_id": template.id,
                **values,
            }
        )

    def test_an_action_sends_to_leads_and_says_what_it_could_not(self):
        template = self.template("Hello {{1}}")
        template.variable_ids.field_name = "contact_name"
        stranger = self.env["crm.lead"].create(
            {"name": "By phone", "contact_name": "Eva", "phone": "+34 612 345 678"}
        )
        without = self.env["crm.lead"].create({"name": "Nothing", "contact_name": "X"})
        leads = self.lead + stranger + without
        self.action(template).with_context(
            active_model="crm.lead", active_ids=leads.ids
        ).run()
        self.send_due()
        self.assertEqual(
            sorted(sent["to"] for sent in self.meta.sent),
            ["+34612345678", "+" + ANA["from"]],
        )
        self.assertEqual(stranger.whatsapp_channel_ids.name, "Eva")
        notes = html2plaintext(" ".join(without.message_ids.mapped("body")))
        self.assertIn("no phone number", notes)

    def test_an_action_on_contacts_needs_no_field_that_may_not_exist(self):
        partner = self.env["res.partner"].create(
            {"name": "Eva", "phone": "+34 612 345 678"}
        )
        template = self.template(
            "Hello", model_id=self.env.ref("base.model_res_partner").id
        )
        self.action(template, "res.partner").with_context(
            active_model="res.partner", active_ids=partner.ids
        ).run()
        self.send_due()
        self.assertEqual(self.meta.sent[0]["to"], "+34612345678")

    def meeting(self, *guests):
        organizer = self.sofia
        organizer.partner_id.phone = "+34 611 111 111"
        return self.env["calendar.event"].create(
            {
                "name": "Visit",
                "user_id": organizer.id,
                "start": "2026-03-02 10:00:00",
                "stop": "2026-03-02 11:00:00",
                "partner_ids": [Command.set([organizer.partner_id.id, *guests])],
            }
        )

    def run_on(self, action, record):
        action.with_context(active_model=record._name, active_ids=record.ids).run()
        self.send_due()
        return sorted(
            sent.get("to") or sent.get("recipient") for sent in self.meta.sent
        )

    def test_an_action_on_a_meeting_writes_to_each_guest_and_not_to_us(self):
        contacts = self.env["res.partner"].create(
            [
                {"name": "Eva", "phone": "+34 612 345 678"},
                {"name": "Leo", "phone": "+34 612 345 679"},
                {"name": "Nobody"},
                {
                    "name": "The office",
                    "phone": "+34 612 345 670",
                    "parent_id": self.env.company.partner_id.id,
                },
            ]
        )
        meeting = self.meeting(*contacts.ids)
        template = self.template(
            "Hello", model_id=self.env["ir.model"]._get_id("calendar.event")
        )
        action = self.action(template, "calendar.event")
        self.assertTrue(action.whatsapp_is_recipient_known)
        self.assertEqual(self.run_on(action, meeting), ["+34612345678", "+34612345679"])
        notes = html2plaintext(" ".join(meeting.message_ids.mapped("body")))
        self.assertIn("Nobody has no phone number", notes)

    def test_an_action_sends_to_the_contact_that_was_chosen(self):
        boss = self.env["res.partner"].create(
            {"name": "Boss", "phone": "+34 612 345 677"}
        )
        partner = self.env["res.partner"].create(
            {"name": "Eva", "phone": "+34 612 345 678", "parent_id": boss.id}
        )
        template = self.template(
            "Hello", model_id=self.env.ref("base.model_res_partner").id
        )
        chosen = self.env["ir.model.fields"]._get("res.partner", "parent_id")
        action = self.action(
            template, "res.partner", whatsapp_contact_field_id=chosen.id
        )
        self.assertEqual(self.run_on(action, partner), ["+34612345677"])
        other = self.env["ir.model.fields"]._get("res.partner", "country_id")
        with self.assertRaisesRegex(ValidationError, "is no contact of"):
            action.whatsapp_contact_field_id = other

    def test_an_action_writes_to_a_customer_who_never_told_the_number(self):
        person = {"bsuid": "MX.77001", "name": "Uma"}
        channel = self.receive(self.message(person=person), person=person)
        partner = self.env["res.partner"].create({"name": "Uma"})
        self.env["res.partner.gateway.channel"].create(
            {
                "name": "Uma",
                "partner_id": partner.id,
                "gateway_id": self.gateway.id,
                "gateway_token": channel.gateway_channel_token,
            }
        )
        meeting = self.meeting(partner.id)
        template = self.template(
            "Hello", model_id=self.env["ir.model"]._get_id("calendar.event")
        )
        action = self.action(template, "calendar.event")
        self.assertEqual(self.run_on(action, meeting), ["MX.77001"])

    def test_an_action_whose_expression_finds_one_of_us_sends_nothing(self):
        meeting = self.meeting()
        template = self.template(
            "Hello", model_id=self.env["ir.model"]._get_id("calendar.event")
        )
        action = self.action(template, "calendar.event")
        action.whatsapp_partner = "{{ object.user_id.partner_id.id }}"
        self.assertEqual(self.run_on(action, meeting), [])

    def test_an_action_asks_to_whom_where_documents_do_not_say_it(self):
        template = self.template(
            "Hello", model_id=self.env["ir.model"]._get_id("crm.team")
        )
        self.assertFalse(self.action(template, "crm.team").whatsapp_is_recipient_known)


class TestChoice(TemplateCase):
    """Which templates a salesperson is offered, and what fills them."""

    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="Hi"))
        self.lead = self.channel.lead_id
        self.owner = self.lead.user_id
        self.env["res.lang"]._activate_lang("es_MX")
        self.lead.lang_id = self.env["res.lang"]._lang_get("es_MX")

    def choices(self, query="", user=None):
        dialog = self.env["whatsapp.send.template"].with_user(user or self.owner)
        return dialog.choices(self.channel.id, query)

    def imported(self, technical_name, language="es", body="Hola", **values):
        """A template as it was read from Meta."""
        return self.template(
            body,
            name=technical_name.replace("_", " ").title(),
            template_name=technical_name,
            language=language,
            **values,
        )

    def test_the_customer_s_language_comes_first_then_what_was_sent_last(self):
        english = self.imported("follow_up", "en_US")
        self.imported("aviso")
        last = self.imported("seguimiento_cotizacion", "es_MX")
        self.imported("seguimiento_cotizacion", "es")
        foreign = self.wizard(english)
        foreign.action_send()
        self.wizard(last).action_send()
        by_colleague = self.imported("bienvenida")
        by_colleague._whatsapp_send(self.channel, {})
        found = self.choices()
        self.assertEqual(
            [(one["name"], one["language"], one["is_foreign"]) for one in found],
            [
                ("Seguimiento cotización", "Spanish (MEX)", False),
                ("Aviso", "Spanish", False),
                ("Bienvenida", "Spanish", False),
                ("Seguimiento cotización", "Spanish", False),
                ("Follow up", "English (US)", True),
            ],
        )
        self.assertEqual(found[0]["technical_name"], "seguimiento_cotizacion")
        self.lead.lang_id = self.env["res.lang"]._lang_get("en_US")
        self.assertEqual(self.choices()[0]["id"], english.id)

    def test_of_two_languages_of_one_template_the_customer_s_own_is_first(self):
        for language in ("es", "es_MX", "es_AR"):
            self.imported("aviso", language)
        self.assertEqual(self.choices()[0]["language"], "Spanish (MEX)")

    def test_words_of_name_and_text_are_searched_without_accents(self):
        self.imported("seguimiento", body="Tu cotización está lista")
        self.imported("aviso", body="La tienda cierra hoy")
        for query, expected in (
            ("cotizacion lista", ["Seguimiento"]),
            ("AVISO", ["Aviso"]),
            ("cierra segui", []),
            (" ", ["Aviso", "Seguimiento"]),
        ):
            with self.subTest(query):
                found = [one["name"] for one in self.choices(query)]
                self.assertEqual(found, expected)

    def test_only_what_can_be_sent_is_offered(self):
        other = self.gateway.copy(
            {"token": "EAAother", "webhook_key": "k2", "whatsapp_from_phone": "10002"}
        )
        self.imported("paused", state="paused")
        self.imported("file", is_supported=False)
        self.imported("other", gateway_id=other.id)
        self.assertFalse(self.choices())

    def test_who_may_not_see_the_conversation_is_offered_nothing(self):
        self.imported("aviso")
        self.lead.user_id = self.sofia
        self.assertTrue(self.choices(user=self.sofia))
        with self.assertRaises(AccessError):
            self.choices(user=self.tomas)

    def test_a_name_that_a_person_gave_stays_and_the_language_is_told(self):
        given = self.template(name="VIP: hola_2", template_name="hola_2")
        self.assertEqual(given.display_name, "VIP: hola_2 · Spanish (MEX)")
        read = self.imported("saludo_inicial", "en_US")
        self.assertEqual(read.display_name, "Saludo inicial · English (US)")
        found = self.env["mail.whatsapp.template"].name_search("saludo_ini")
        self.assertEqual([one for one, _name in found], read.ids)

    def test_variables_are_guessed_and_told_by_the_words_around_them(self):
        self.lead.write({"contact_name": "ANA pérez", "partner_name": "Café Sol"})
        template = self.imported(
            "saludo",
            body="Hola {{nombre}}, soy {{asesor}}. Para {{empresa}}, *{{total}}* hoy.",
            header="Oferta {{mes}}",
        )
        wizard = self.wizard(template)
        told = [(line.name, line.value, line.label) for line in wizard.line_ids]
        self.assertEqual(
            told,
            [
                ("mes", "", "Header: Oferta ____"),
                ("nombre", "Ana", "Hola ____, soy …."),
                ("asesor", self.owner.name, "Hola …, soy ____. Para …,"),
                ("empresa", "Café Sol", "… soy …. Para ____, *…* hoy."),
                ("total", "", "…. Para …, *____* hoy."),
            ],
        )
        self.assertIn("<strong><mark>{{total}}</mark></strong>", str(wizard.preview))
        wizard.line_ids[4].value = "<b>5</b>"
        self.assertIn("<strong>&lt;b&gt;5&lt;/b&gt;</strong>", str(wizard.preview))

    def test_a_number_in_a_greeting_is_the_first_name(self):
        wizard = self.wizard(self.imported("saludo", body="Hola {{1}}, tu {{2}}"))
        self.assertEqual(wizard.line_ids.mapped("value"), ["Ana", ""])
        wizard.line_ids[1].value = "pedido"
        wizard.action_send()
        self.assertIn("Hola Ana, tu pedido", self.texts(self.channel)[-1])

    def test_what_an_administrator_said_is_no_guess(self):
        template = self.imported("saludo", body="Hola {{1}}")
        template.model_id = self.env.ref("crm.model_crm_lead")
        template.variable_ids.field_name = "name"
        self.assertEqual(self.wizard(template).line_ids.value, self.lead.name)

    def test_of_a_lead_that_one_may_not_read_nothing_is_guessed(self):
        self.lead.partner_name = "Secret Ltd."
        self.channel.sudo().add_members(
            partner_ids=self.tomas.partner_id.ids, post_joined_message=False
        )
        self.lead.user_id = self.sofia
        self.assertFalse(self.lead.with_user(self.tomas).has_access("read"))
        known = self.channel.with_user(self.tomas).sudo()._whatsapp_known_values()
        self.assertNotIn("Secret Ltd.", known.values())

    def test_nothing_is_guessed_where_nobody_looks(self):
        template = self.imported("saludo", body="Hola {{1}}")
        with self.assertRaisesRegex(UserError, "variable 1"):
            template._whatsapp_send(self.channel, {})


class TestCategory(TemplateCase):
    """Meta makes a template marketing: who wants none gets it no more."""

    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="BAJA"))
        self.assertTrue(self.channel.whatsapp_opt_out)
        self.utility = self.template(template_uid="4711", template_name="order_news")

    def update(self, account="20001", **value):
        change = {"field": "template_category_update", "value": value}
        entry = {"id": account, "time": self.now, "changes": [change]}
        body = {"object": "whatsapp_business_account", "entry": [entry]}
        self.assertEqual(self.post(body).status_code, 200)
        self.drain()

    def told(self):
        kind = self.env.ref("mail_gateway_whatsapp_queue.mail_activity_type_template")
        return self.env["mail.activity"].search([("activity_type_id", "=", kind.id)])

    def test_every_shape_of_the_delivery_is_applied_and_told_once(self):
        of_meta = {"previous_category": "UTILITY", "new_category": "MARKETING"}
        by_name = {
            "message_template_name": "order_news",
            "message_template_language": "es-MX",
        }
        for shape in (
            {"message_template_id": 4711},
            {"message_template_id": "4711", **by_name},
            {"message_template_id": 99, **by_name},
            by_name,
            {"template_id": 4711},
            {"name": "order_news", "language": "es_MX"},
        ):
            with self.subTest(shape=shape):
                for _time in range(2):
                    self.update(**shape, **of_meta)
                self.assertEqual(self.utility.category, "marketing")
                [told] = self.told()
                self.assertEqual(told.user_id, self.env.ref("base.user_admin"))
                self.assertIn("Greeting", told.summary)
                self.assertIn("no marketing", told.note)
                with self.assertRaisesRegex(UserError, "no more marketing"):
                    self.utility._whatsapp_send(self.channel, {})
                self.utility.category = "utility"
                told.unlink()
                self.now += 1

    def test_other_templates_stay_as_they_are(self):
        of_meta = {"previous_category": "UTILITY", "new_category": "MARKETING"}
        self.update(message_template_id=99, **of_meta)
        self.update(message_template_name="order_news", **of_meta, account="77")
        self.update(
            message_template_name="order_news",
            message_template_language="es",
            **of_meta,
        )
        for odd in (None, [], {"a": 1}, 7, True):
            self.update(message_template_id=odd, new_category=odd)
            self.update(message_template_id=4711, new_category=odd)
        self.assertEqual(self.utility.category, "utility")
        failed = self.events(state="failed")
        self.assertFalse(failed)

    def test_a_category_that_nobody_knows_and_one_to_come_are_told(self):
        self.update(message_template_id=4711, new_category="BRAND_NEW")
        self.assertEqual(self.utility.category, "utility")
        self.assertIn("BRAND_NEW", self.told().summary)
        self.told().unlink()
        self.update(
            message_template_id=4711,
            new_category="UTILITY",
            correct_category="MARKETING",
        )
        self.assertEqual(self.utility.category, "utility")
        self.assertIn("going to be", self.told().summary)
        self.update(message_template_id=4711, new_category="MARKETING_LITE")
        self.assertEqual(self.utility.category, "marketing")

    def test_what_was_recorded_before_is_looked_at_again(self):
        row = self.utility._whatsapp_send(self.channel, {})
        self.update(message_template_id=4711, new_category="MARKETING")
        self.send_due()
        self.assertEqual((row.state, row.error_code), ("failed", 131050))
        self.assertFalse(self.meta.calls)
        reason = row.message_id.whatsapp_delivery()["reason"]
        self.assertIn("no longer wants marketing", reason)
        with self.assertRaisesRegex(UserError, "no more marketing"):
            row.action_retry()

    def test_who_opts_out_meanwhile_gets_none(self):
        self.channel.whatsapp_opt_out = False
        self.utility.category = "marketing"
        row = self.utility._whatsapp_send(self.channel, {})
        self.channel.whatsapp_opt_out = True
        self.send_due()
        self.assertEqual((row.state, self.meta.calls), ("failed", []))

    @mute_logger("odoo.addons.mail_gateway_whatsapp_queue.models.mail_gateway_setup")
    def test_templates_are_read_daily_once_for_each_account(self):
        sibling = self.gateway.copy({"whatsapp_from_phone": "10002", "token": "EAAb"})
        broken = self.gateway.copy(
            {
                "whatsapp_from_phone": "10003",
                "token": "EAAc",
                "whatsapp_account_id": "30001",
            }
        )
        self.template(gateway_id=sibling.id, template_uid="4711")
        self.template(gateway_id=broken.id, template_uid="4712")
        never_read = self.gateway.copy(
            {
                "whatsapp_from_phone": "10004",
                "token": "EAAd",
                "whatsapp_account_id": "40001",
            }
        )
        now = described("4711", "order_news", category="MARKETING")
        self.meta.answers = [
            (400, {"error": {"code": 100}}),
            (200, {"data": [now]}),
        ]
        gateways = broken | self.gateway | sibling | never_read
        gateways._whatsapp_read_templates()
        paths = [path for _method, path, _json in self.meta.calls]
        self.assertEqual(
            [path.split("/")[0] for path in paths], ["30001", "20001"], paths
        )
        templates = self.env["mail.whatsapp.template"]
        found = templates.search([("template_uid", "=", "4711")])
        self.assertEqual(found.gateway_id, self.gateway | sibling)
        self.assertEqual(found.mapped("category"), ["marketing", "marketing"])
        self.assertTrue(self.told())
        self.assertTrue(self.gateway.whatsapp_templates_at)
        self.assertFalse(never_read.whatsapp_templates_at)


class TestFirstWord(TemplateCase):
    def lead(self, **values):
        return self.env["crm.lead"].create(
            {
                "name": "Offer",
                "contact_name": "Eva",
                "phone": "612 345 678",
                "country_id": self.env.ref("base.es").id,
                "company_id": self.company.id,
                "user_id": self.sofia.id,
                **values,
            }
        )

    def test_the_lead_opens_a_chat_before_the_first_message(self):
        lead = self.lead().with_user(self.sofia)
        action = lead.action_open_whatsapp()
        self.channel = lead.whatsapp_channel_ids
        self.assertEqual(action["params"], {"channel_id": self.channel.id})
        self.assertEqual(self.channel.whatsapp_phone, "+34612345678")
        self.assertFalse(self.channel.whatsapp_window_open)
        self.assertEqual(lead.action_open_whatsapp()["params"], action["params"])
        self.wizard(self.template(), user=self.sofia).action_send()
        self.send_due()
        self.assertEqual(self.meta.sent[0]["to"], "+34612345678")
        person = {"from": "34612345678", "name": "Eva Real"}
        self.assertEqual(
            self.receive(self.message(content="Yes?", person=person), person=person),
            self.channel,
        )
        self.assertEqual(self.channel.lead_id, lead)

    def test_without_a_number_it_says_what_to_do(self):
        with self.assertRaisesRegex(UserError, "phone number"):
            self.lead(phone=False).with_user(self.sofia).action_open_whatsapp()

    def test_a_colleague_s_conversation_is_named(self):
        other = self.lead(user_id=self.tomas.id)
        other.with_user(self.tomas).action_open_whatsapp()
        with self.assertRaisesRegex(UserError, "tomas"):
            self.lead().with_user(self.sofia).action_open_whatsapp()
        other.action_set_won()
        with self.assertRaisesRegex(UserError, "tomas"):
            self.lead().with_user(self.sofia).action_open_whatsapp()
        self.assertEqual(other.whatsapp_channel_ids.whatsapp_user_id, self.tomas)


class TestPause(TemplateCase, ConversationCase):
    def probe(self):
        self.gateway.whatsapp_probe_at = fields.Datetime.now() - timedelta(seconds=1)
        self.send_due()

    @mute_logger(QUEUE)
    def test_it_resumes_by_itself_when_it_works_again(self):
        refusal = (401, {"error": {"code": 190, "message": "x"}})
        self.meta.answers = [refusal]
        rows = self.answer(self.channel, "One") + self.answer(self.channel, "Two")
        self.send_due()
        self.assertTrue(self.gateway.whatsapp_probe_at)
        self.meta.answers = [refusal]
        self.probe()
        self.assertEqual(len(self.meta.sent), 2, "one is tried, not all")
        self.assertEqual(self.gateway.whatsapp_probes, 2)
        later = fields.Datetime.now() + timedelta(minutes=15)
        self.assertAlmostEqual(
            self.gateway.whatsapp_probe_at, later, delta=timedelta(seconds=20)
        )
        alerts = self.env["mail.activity"].search(
            [("res_model", "=", "whatsapp.message.queue")]
        )
        self.assertEqual(len(alerts), 1, "one alert for all of it")
        self.probe()
        self.assertFalse(self.gateway.whatsapp_pause_reason)
        self.assertEqual(rows.mapped("state"), ["sent", "sent"])
        self.assertFalse(
            self.env["mail.activity"].search(
                [("res_model", "=", "whatsapp.message.queue")]
            ),
            "the alert is dealt with",
        )

    @mute_logger(QUEUE)
    def test_what_only_this_message_cannot_do_resumes_the_others(self):
        self.meta.answers = [(401, {"error": {"code": 190, "message": "x"}})]
        rows = self.answer(self.channel, "One") + self.answer(self.channel, "Two")
        self.send_due()
        self.meta.answers = [(400, {"error": {"code": 131026, "message": "x"}})]
        self.probe()
        self.assertFalse(self.gateway.whatsapp_pause_reason)
        self.assertEqual(rows.mapped("state"), ["failed", "sent"])

    @mute_logger(QUEUE)
    def test_a_wrong_version_pauses_its_own_number_only(self):
        other = self.gateway.copy(
            {"token": "EAAother", "webhook_key": "k2", "whatsapp_from_phone": "10002"}
        )
        person = {"from": "34612345678", "name": "Bob"}
        second = self.env["discuss.channel"].create(
            {
                "name": "Bob",
                "channel_type": "gateway",
                "gateway_id": other.id,
                "gateway_channel_token": person["from"],
                "whatsapp_last_customer_date": fields.Datetime.now(),
            }
        )
        other.whatsapp_version = "twenty-three"
        bad = self.answer(second, "Hello", user=self.env.user)
        good = self.answer(self.channel, "Hello")
        self.send_due()
        self.assertEqual((bad.state, bad.attempts, good.state), ("queued", 0, "sent"))
        self.assertTrue(other.whatsapp_pause_reason)
        other.whatsapp_version = "23.0"
        other.whatsapp_probe_at = fields.Datetime.now() - timedelta(seconds=1)
        self.send_due()
        self.assertEqual(bad.state, "sent")

    def test_with_nothing_to_send_meta_is_asked(self):
        self.gateway.whatsapp_pause_reason = "x"
        self.meta.answers = [(401, {"error": {"code": 190, "message": "x"}})]
        self.probe()
        self.assertTrue(self.gateway.whatsapp_pause_reason)
        self.probe()
        self.assertFalse(self.gateway.whatsapp_pause_reason)
        self.assertEqual(self.meta.sent, [])

    def test_a_neutralized_copy_is_never_tried(self):
        self.gateway.whatsapp_pause_reason = "copy"
        self.send_due()
        self.assertEqual(self.meta.calls, [])

    @mute_logger(QUEUE)
    def test_the_minutes_are_the_administrator_s(self):
        self.env["ir.config_parameter"].set_param(
            "mail_gateway_whatsapp_queue.retry_minutes", "7"
        )
        self.meta.answers = [(500, {"error": {"code": 131000}})] * 2
        row = self.answer(self.channel, "Hello")
        self.send_due()
        expected = fields.Datetime.now() + timedelta(minutes=7)
        self.assertAlmostEqual(
            row.next_attempt_at, expected, delta=timedelta(seconds=20)
        )
        row.next_attempt_at = fields.Datetime.now()
        self.send_due()
        self.assertEqual(row.state, "failed")
