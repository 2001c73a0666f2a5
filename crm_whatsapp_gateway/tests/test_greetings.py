# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import new_test_user

from ..models.whatsapp_conversation_answer import WhatsappConversationAnswer
from .common import at
from .test_answers import ANA, MINUTE, AnswerCase
from .test_duty import WEDNESDAY

DAY = timedelta(days=1)
NIGHT = WEDNESDAY - 12 * 60 * MINUTE  # 22:00 on Tuesday in Mexico
WELCOME = "Hello, and thank you for writing to us. We will answer in a moment."
AWAY = (
    "Thank you for your message. We are not here at the moment and will answer as soon"
    " as we are back."
)


class GreetingCase(AnswerCase):
    def set_scene(self):
        super().set_scene()
        self.gateway.whatsapp_welcome_enabled = True
        self.gateway.whatsapp_away_enabled = True
        # in one language, whichever is that of the customer
        self.gateway.whatsapp_welcome_text = WELCOME
        self.gateway.whatsapp_away_text = AWAY

    def greetings(self):
        """Return what was recorded to be sent, oldest first."""
        rows = self.env["whatsapp.message.queue"].search([], order="id")
        return [row.payload["text"]["body"] for row in rows]

    def hear(self, *messages, moment=WEDNESDAY, person=ANA):
        """Deliver messages of a customer, made by a function of the time."""
        self.now = int((moment).timestamp())
        with at(moment):
            return self.receive(*[m() for m in messages], person=person)

    def text(self, body="Hi", person=ANA):
        return lambda: self.message(content=body, person=person)


class TestWelcome(GreetingCase):
    def test_the_first_message_of_a_person_is_answered_at_once(self):
        channel = self.ask()
        self.assertEqual(self.greetings(), [WELCOME])
        self.assertEqual(self.texts(channel), ["Hi", WELCOME])
        message = channel.message_ids.sorted("id")[-1]
        self.assertEqual(message.author_id, self.env.ref("base.partner_root"))
        self.send_due()
        [sent] = self.meta.sent
        self.assertEqual((sent["to"], sent["type"]), ("+" + ANA["from"], "text"))

    def test_it_is_no_answer(self):
        self.gateway.whatsapp_target_minutes = 15
        channel = self.ask()
        self.assertEqual(channel.whatsapp_conversation_ids.waiting_since, WEDNESDAY)
        self.assertEqual(channel.whatsapp_conversation_ids.last_text, "Hi")
        self.assertEqual(
            channel.whatsapp_conversation_ids.answer_due, WEDNESDAY + 15 * MINUTE
        )
        self.assertFalse(self.rows())
        self.assertTrue(channel.lead_id._whatsapp_calls(), "the call is not done")
        row = self.reply(channel, WEDNESDAY + MINUTE)
        self.assertEqual(
            (row.seconds, row.is_first, row.user_id), (60, True, self.sofia)
        )

    def test_it_is_not_sent_again(self):
        self.hear(self.text("One"), self.text("Two"))
        self.ask(WEDNESDAY + MINUTE)
        self.ask(WEDNESDAY + 2 * DAY)
        self.assertEqual(self.greetings(), [WELCOME])

    def test_a_message_that_meta_delivers_twice_is_answered_once(self):
        message = self.message(content="Hi")
        for _twice in range(2):
            self.hear(lambda: message)
        self.assertEqual(len(self.greetings()), 1)

    def test_a_lead_that_opens_twice_is_welcomed_once(self):
        channel = self.ask()
        channel.lead_id.action_set_lost()
        self.ask(WEDNESDAY + DAY)
        self.assertEqual(len(self.greetings()), 1)

    def test_after_a_long_silence_somebody_is_welcome_again(self):
        self.ask()
        self.ask(WEDNESDAY + 13 * DAY)
        self.assertEqual(len(self.greetings()), 1)
        self.ask(WEDNESDAY + 27 * DAY)
        self.assertEqual(len(self.greetings()), 2)
        self.gateway.whatsapp_welcome_days = 0
        self.ask(WEDNESDAY + 99 * DAY)
        self.assertEqual(len(self.greetings()), 2, "the very first message only")

    def test_within_the_chosen_hours_it_never_comes_twice(self):
        self.gateway.whatsapp_welcome_days = 1
        self.gateway.whatsapp_greeting_hours = 7 * 24
        self.ask()
        self.ask(WEDNESDAY + 5 * DAY)
        self.assertEqual(len(self.greetings()), 1)
        self.ask(WEDNESDAY + 7 * DAY)
        self.assertEqual(len(self.greetings()), 2)

    def test_who_answers_our_first_word_is_not_welcomed(self):
        lead = self.env["crm.lead"].create(
            {"name": "Ana", "phone": "+52 55 1234 5678", "user_id": self.sofia.id}
        )
        channel = lead._whatsapp_first_conversation()
        self.reply(channel, WEDNESDAY - DAY, user=self.sofia)
        self.ask()
        self.assertEqual(self.greetings(), ["Hello"])

    def test_the_standard_texts_are_in_the_customer_s_language(self):
        self.env["res.lang"]._activate_lang("es_MX")
        self.env["ir.module.module"].search(
            [("name", "=", "crm_whatsapp_gateway")]
        )._update_translations(["es_MX"])
        self.gateway.whatsapp_welcome_text = False
        self.ask()
        self.assertIn("gracias por escribirnos", self.greetings()[0])

    def test_it_is_in_the_customer_s_language(self):
        self.env["res.lang"]._activate_lang("es_MX")
        self.gateway.whatsapp_welcome_text = "Welcome!\nThis is *us*."
        self.gateway.with_context(lang="es_MX").whatsapp_welcome_text = "¡Bienvenida!"
        channel = self.ask()
        self.assertEqual(channel.lead_id.lang_id.code, "es_MX")
        self.ask(person={"from": "12125550123", "name": "Bob"})
        self.assertEqual(
            self.greetings(),
            ["¡Bienvenida!", "Welcome!\nThis is *us*."],
        )

    def test_a_language_that_was_switched_off_does_no_harm(self):
        spanish = self.env["res.lang"]._activate_lang("es_MX")
        channel = self.ask()
        channel.lead_id.lang_id = spanish
        self.env.flush_all()
        self.env["res.lang"].flush_model()
        self.env.cr.execute("UPDATE res_lang SET active = FALSE WHERE code = 'es_MX'")
        self.env.invalidate_all()
        self.registry.clear_all_caches()
        self.ask(WEDNESDAY + 30 * DAY)
        self.assertEqual(self.greetings(), [WELCOME, WELCOME])


class TestAway(GreetingCase):
    def test_outside_of_the_hours_the_away_message_comes_and_no_welcome(self):
        channel = self.ask(NIGHT)
        self.assertEqual(self.greetings(), [AWAY])
        self.assertEqual(channel.whatsapp_conversation_ids.waiting_since, NIGHT)
        self.ask(WEDNESDAY)
        self.assertEqual(self.greetings(), [AWAY], "no stranger any more")

    def test_within_the_hours_it_does_not_come(self):
        for moment in (WEDNESDAY.replace(hour=15), WEDNESDAY.replace(hour=23)):
            self.ask(moment)
        self.assertEqual(self.greetings(), [WELCOME])
        self.ask(WEDNESDAY.replace(hour=23, minute=59, second=59))
        self.assertEqual(self.greetings(), [WELCOME])
        self.ask(WEDNESDAY + 8 * 60 * MINUTE)  # 18:00
        self.assertEqual(self.greetings(), [WELCOME, AWAY])

    def test_it_comes_again_after_the_chosen_time(self):
        self.gateway.whatsapp_greeting_hours = 10
        for hours in (0, 1, 9.9, 10, 15):
            self.ask(NIGHT + 4 * DAY + timedelta(hours=hours))  # on a weekend
        self.assertEqual(self.greetings(), [AWAY, AWAY])
        self.gateway.whatsapp_greeting_hours = 0
        for minutes in (0, 1):
            self.ask(NIGHT + 18 * DAY + minutes * MINUTE)
        self.assertEqual(self.greetings(), [AWAY, AWAY, AWAY], "no flood")

    def test_on_a_holiday_the_team_is_away(self):
        self.leave()
        self.ask()
        self.assertEqual(self.greetings(), [AWAY])

    def test_the_hours_are_those_of_the_team(self):
        self.gateway.whatsapp_away_calendar_id = self.hours(
            "Always", [(day, 0, 24) for day in range(7)]
        )
        self.ask(NIGHT)
        self.assertEqual(self.greetings(), [WELCOME])

    def test_who_talks_with_a_colleague_is_not_interrupted(self):
        evening = WEDNESDAY + 7.9 * 60 * MINUTE  # 17:54
        channel = self.ask(evening)
        self.reply(channel, evening + 4 * MINUTE)
        for minutes in (7, 8):
            self.ask(evening + minutes * MINUTE)
        self.assertEqual(self.greetings(), [WELCOME, "Hello"])
        self.ask(evening + 30 * MINUTE)
        self.assertEqual(self.greetings(), [WELCOME, "Hello", AWAY])

    def test_who_talks_with_somebody_on_the_phone_neither(self):
        self.ask(NIGHT - DAY)
        self.echo(NIGHT + DAY)
        self.ask(NIGHT + DAY + MINUTE)
        self.assertEqual(self.greetings(), [AWAY])

    def test_without_it_the_welcome_comes_at_night_too(self):
        self.gateway.whatsapp_away_enabled = False
        self.ask(NIGHT)
        self.assertEqual(self.greetings(), [WELCOME])


class TestNoGreeting(GreetingCase):
    def test_switched_off_nothing_is_sent_nor_looked_up(self):
        self.gateway.whatsapp_welcome_enabled = False
        self.gateway.whatsapp_away_enabled = False

        def never(*args):
            raise AssertionError("hours are read")

        with patch.object(WhatsappConversationAnswer, "_greeting", never):
            self.ask(NIGHT)
        self.assertTrue(self.events(state="done"))
        self.assertFalse(self.greetings())

    def test_what_is_no_message_to_us_gets_none(self):
        unknown = {"message_id": "wamid.unknown", "emoji": "👍"}
        self.hear(lambda: self.message("reaction", unknown))
        self.hear(lambda: self.message("unsupported", None, errors=[{"code": 131051}]))
        self.echo(WEDNESDAY)
        self.assertEqual(len(self.events(state="done")), 3)
        self.assertFalse(self.greetings())

    def test_what_meta_delivers_hours_later_gets_none(self):
        self.now = int((WEDNESDAY - 11 * MINUTE).timestamp())
        with at(WEDNESDAY):
            self.receive(self.message(content="Hi"))
        self.assertFalse(self.greetings())
        self.now = int((WEDNESDAY - 9 * MINUTE).timestamp())
        with at(WEDNESDAY):
            person = {"from": "34612345678", "name": "Eva"}
            self.receive(self.message(content="Hi", person=person), person=person)
        self.assertEqual(self.greetings(), [WELCOME])

    def test_who_wants_to_hear_nothing_hears_nothing(self):
        self.hear(self.text("STOP"), moment=NIGHT)
        self.assertFalse(self.greetings())

    def test_people_who_are_no_leads_get_none(self):
        self.env["phone.blacklist"].create({"number": "+525512345678"})
        self.hear(self.text(), moment=NIGHT)
        self.assertFalse(self.greetings())

    def test_a_number_that_is_paused_sends_none_hours_later(self):
        self.gateway.whatsapp_pause_reason = "no token"
        self.ask()
        self.assertFalse(self.greetings())

    def test_what_we_answered_meanwhile_needs_none(self):
        channel = self.ask(WEDNESDAY - DAY)
        self.gateway.whatsapp_welcome_days = 0
        self.reply(channel, WEDNESDAY + MINUTE)
        self.env["whatsapp.message.queue"].search([]).unlink()
        channel.whatsapp_conversation_ids.welcomed_at = False
        self.ask(WEDNESDAY)  # delivered after the answer
        self.assertFalse(self.greetings())

    def test_the_customer_s_message_stays_if_the_greeting_fails(self):
        def refused(chat, kind):
            chat.welcomed_at = WEDNESDAY
            raise UserError(chat.name)

        with (
            patch.object(WhatsappConversationAnswer, "_send_greeting", refused),
            self.assertLogs("odoo.addons.crm_whatsapp_gateway", "WARNING"),
        ):
            channel = self.ask()
        self.assertEqual(self.texts(channel), ["Hi"])
        self.assertFalse(channel.whatsapp_conversation_ids.welcomed_at)
        self.assertEqual(self.events(state="done"), self.events())

    def test_a_webhook_user_without_rights_greets_too(self):
        self.gateway.webhook_user_id = new_test_user(
            self.env, login="hook", groups="base.group_user"
        )
        channel = self.ask(NIGHT)
        self.assertEqual(self.greetings(), [AWAY])
        message = channel.message_ids.sorted("id")[-1]
        self.assertEqual(message.author_id, self.env.ref("base.partner_root"))
