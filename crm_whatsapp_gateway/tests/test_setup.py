# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta
from unittest.mock import patch

from odoo import fields, http
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools import file_open, mute_logger

from odoo.addons.mail_gateway_whatsapp_queue.models.mail_gateway_whatsapp_kinds import (
    NOTICES,
)
from odoo.addons.mail_gateway_whatsapp_queue.tools.probe import Probe

from .setup_common import APP, HELLO, OTHER, SECRET, URL, SetupCase, key_of, refusal

ALERT = "odoo.addons.mail_gateway_whatsapp_queue.models.whatsapp_message_queue_alert"
SETUP = "odoo.addons.mail_gateway_whatsapp_queue.models.mail_gateway_setup"


class TestSetup(SetupCase):
    """Each point: shown fine, broken, said so, fixed."""

    def test_a_number_that_is_right_is_fine_in_every_point(self):
        self.gateway.action_whatsapp_test()
        self.env.invalidate_all()
        rows = self.gateway.whatsapp_check_ids
        wrong = rows.filtered(lambda row: row.state != "ok")
        self.assertFalse(wrong, wrong.mapped(lambda row: (row.kind, row.found)))
        self.assertEqual(
            rows.mapped("kind"),
            [kind for kind, check in rows._checks().items() if not check.optional],
        )
        self.assertEqual(self.gateway.whatsapp_setup_state, "ok")
        self.assertEqual(self.gateway.whatsapp_setup_summary, "14 of 14 are fine")
        self.assertEqual(self.probes, [URL])
        self.assertFalse(self.meta.sent, "nobody is written to")

    def test_a_new_number_has_its_points_and_its_keys(self):
        new = self.env["mail.gateway"].create(
            {"name": "New", "gateway_type": "whatsapp", "token": "EAAnew"}
        )
        self.assertEqual(len(new.whatsapp_check_ids), 14)
        self.assertEqual(set(new.whatsapp_check_ids.mapped("state")), {"unknown"})
        self.assertEqual(new.whatsapp_setup_state, "unknown")
        self.assertGreater(len(new.webhook_key), 30)
        self.assertNotEqual(new.webhook_key, new.whatsapp_security_key)

    def test_numbers_of_before_get_their_points(self):
        self.env["whatsapp.gateway.check"].search([]).unlink()
        self.env.flush_all()
        self.env["whatsapp.gateway.check"].init()
        self.env.invalidate_all()
        self.assertEqual(len(self.gateway.whatsapp_check_ids), 14)
        self.env["whatsapp.gateway.check"].init()
        self.env.invalidate_all()
        self.assertEqual(len(self.gateway.whatsapp_check_ids), 14)
        self.assertFine("token")

    def test_what_depends_on_something_broken_says_so(self):
        self.meta.token["is_valid"] = False
        self.gateway.action_whatsapp_test()
        for kind in ("account", "number", "secret", "subscribed", "webhook"):
            row = self.row(kind)
            self.assertEqual(row.state, "unknown")
            self.assertEqual(row.found, "First fix: Access token.")
        self.assertEqual(self.row("crons").state, "ok")
        self.assertEqual(self.gateway.whatsapp_setup_state, "bad")

    def test_a_change_makes_the_old_result_worthless(self):
        self.gateway.action_whatsapp_test()
        self.gateway.token = "EAAother"
        self.env.invalidate_all()
        row = self.row("number")
        self.assertEqual(
            (row.state, row.found), ("unknown", "Changed since the last test.")
        )
        self.assertEqual(self.row("crons").state, "ok")
        self.gateway.token = "EAAother"
        self.assertFine("number")

    def test_words_are_in_the_reader_s_language_and_time(self):
        self.meta.token["expires_at"] = 1900000000
        row = self.check("token")
        self.assertIn("03/17/2030", row.found)
        self.env["res.lang"]._activate_lang("es_MX")
        self.assertIn("17/03/2030", row.with_context(lang="es_MX").found)

    def test_an_update_renews_the_texts_and_drops_their_translations(self):
        self.env["res.lang"]._activate_lang("es_MX")
        self.env.ref("mail_gateway_whatsapp_queue.ir_cron_message_queue").active = False
        found = self.check("crons").with_context(lang="es_MX")
        outcome = self.env.ref("mail_gateway_whatsapp_queue.outcome_crons_off")
        outcome.update_field_translations("found", {"es_MX": "Apagadas: %(names)s"})
        self.env.invalidate_all()
        self.assertRegex(found.found, "^Apagadas: .*send again")
        outcome._load_records_write({"found": "Not running: %(names)s"})
        self.env.invalidate_all()
        self.assertRegex(found.found, "^Not running: .*send again")

    def test_what_no_longer_exists_says_nothing(self):
        row = self.check("crons")
        row.sudo().write({"outcome": "gone", "values": {"names": ["x"]}})
        self.assertFalse(row.found or row.advice or row.can_fix)
        self.assertFalse(row.action_fix())
        self.assertFine("crons")

    # ------------------------------------------------------------- token

    def test_token(self):
        fine = dict(self.meta.token)
        for change, outcome, state, word in (
            ({"is_valid": False}, "token_invalid", "bad", "new token"),
            ({"expires_at": 1700000000}, "token_expired", "bad", "11/14/2023"),
            ({"expires_at": 4000000000}, "token_expires", "warning", "10/02/2096"),
            (
                {"data_access_expires_at": 4000000000},
                "token_expires",
                "warning",
                "2096",
            ),
            ({"type": "USER"}, "token_personal", "warning", "USER"),
            (
                {"scopes": ["whatsapp_business_messaging"]},
                "token_scopes",
                "bad",
                "whatsapp_business_management",
            ),
        ):
            self.meta.token = {**fine, **change}
            self.assertCheck("token", outcome, state, word)
        self.meta.token = fine
        self.assertFine("token")

    def test_what_meta_says_is_told_without_secrets(self):
        self.meta.token["is_valid"] = True
        with patch.object(
            type(self.meta),
            "_answer",
            lambda *args: refusal(190, "Malformed access token EAAtoken", 401),
        ):
            row = self.assertCheck("token", "refused", "bad", "Malformed", "renew")
        self.assertNotIn("EAAtoken", f"{row.found} {row.values}")

    def test_a_neutralized_copy_is_off_on_purpose(self):
        self.gateway.action_whatsapp_test()
        self.env["ir.config_parameter"].set_param("database.is_neutralized", "True")
        with file_open("mail_gateway_whatsapp_queue/data/neutralize.sql") as script:
            self.sql(script.read())
        self.assertEqual(self.row("copy").state, "warning")
        self.assertEqual(self.row("token").state, "unknown")
        self.gateway.action_whatsapp_test()
        self.assertEqual(self.row("copy").state, "warning")
        self.assertEqual(self.row("token").outcome, "token_neutralized")
        self.env["ir.config_parameter"].set_param("database.is_neutralized", False)
        self.gateway.token = "EAAtoken"
        self.gateway.action_whatsapp_test()
        self.assertFalse(self.row("copy"))
        self.assertEqual(self.row("token").state, "ok")

    # ------------------------------------------------------------- number

    def test_account(self):
        self.gateway.whatsapp_account_id = False
        self.assertCheck("account", "account_missing", "bad")
        self.gateway.whatsapp_account_id = "29999"
        self.assertCheck("account", "account_not_granted", "bad", "20001")
        self.meta.token["granular_scopes"] = []
        self.assertCheck("account", "account_unknown", "bad", "assets")
        self.gateway.whatsapp_account_id = "20001"
        self.assertFine("account")

    def test_ids_that_are_swapped_are_swapped_back(self):
        self.gateway.write(
            {"whatsapp_from_phone": "20001", "whatsapp_account_id": "10001"}
        )
        self.assertCheck("account", "account_swapped", "bad")
        self.assertCheck("number", "number_swapped", "bad")
        self.assertEqual(self.fix("number").state, "ok")
        self.assertEqual(self.row("account").state, "ok")
        self.assertEqual(self.gateway.whatsapp_from_phone, "10001")

    def test_a_phone_number_is_no_id(self):
        self.meta.numbers["10002"] = {
            "id": "10002",
            "display_phone_number": "+52 1 55 0000 0002",
        }
        for typed in ("+52 1 55 0000-0001", "5215500000001"):
            self.gateway.whatsapp_from_phone = typed
            self.gateway._whatsapp_test(["account", "number"])
            row = self.row("number")
            self.assertEqual(row.outcome, "number_is_phone")
            self.assertEqual(row.fix_label, "Take the ID 10001")
        self.gateway.whatsapp_account_id = False
        self.gateway.whatsapp_from_phone = "+52 1 55 0000-0001"
        self.assertCheck("number", "number_looks_like_phone", "bad")
        self.gateway.whatsapp_account_id = "20001"
        self.gateway._whatsapp_test(["account", "number"])
        self.assertEqual(self.fix("number").state, "ok")
        self.assertEqual(self.gateway.whatsapp_from_phone, "10001")

    def test_number(self):
        number = self.meta.numbers["10001"]
        self.assertCheck("number", "number_ok", "ok", "+52 1 55", "Muebles", "TIER_2K")
        number["quality_rating"] = "RED"
        self.assertCheck("number", "number_quality", "warning", "RED")
        number["status"] = "RESTRICTED"
        self.assertCheck("number", "number_status", "bad", "RESTRICTED")
        number["platform_type"] = "NOT_APPLICABLE"
        self.assertCheck("number", "number_unregistered", "bad", "not registered")
        number.update(
            quality_rating="GREEN", status="CONNECTED", platform_type="CLOUD_API"
        )
        self.assertFine("number")

    def test_the_rate_that_meta_allows_is_read(self):
        number = self.meta.numbers["10001"]
        for says, rate in (
            ({"throughput": {"level": "STANDARD"}}, 80),
            ({"throughput": {"level": "HIGH"}}, 1000),
            ({"is_on_biz_app": True}, 20),
            ({"is_on_biz_app": False, "throughput": {"level": "NOT_APPLICABLE"}}, 20),
            ({"throughput": ["?"]}, 20),
        ):
            number.update(says)
            self.assertFine("number")
            self.assertEqual(self.gateway.whatsapp_rate_allowed, rate)
        ours = {80: 20, 10: 10, 0: 20, -1: 20}
        for rate, counts in ours.items():
            self.gateway.whatsapp_rate = rate
            self.assertEqual(self.gateway._whatsapp_number_and_rate()[1], counts)
        number["throughput"] = {"level": "STANDARD"}
        self.meta.older = True
        self.assertFine("number")

    def test_a_number_of_another_account_or_of_nobody(self):
        self.meta.elsewhere["10009"] = {"id": "10009", "display_phone_number": "+34 6"}
        self.gateway.whatsapp_from_phone = "10009"
        self.gateway._whatsapp_test(["account", "number"])
        self.assertEqual(self.row("number").outcome, "number_elsewhere")
        self.gateway.whatsapp_from_phone = "77"
        self.gateway._whatsapp_test(["account", "number"])
        self.assertEqual(self.row("number").outcome, "number_choose")
        self.assertEqual(self.fix("number").state, "ok")
        self.gateway.whatsapp_from_phone = False
        self.assertCheck("number", "number_missing", "bad")

    # ------------------------------------------------------------- secret

    def test_app_secret(self):
        self.assertFine("secret")
        self.gateway.webhook_secret = "another"
        self.assertCheck("secret", "secret_wrong", "bad", f"Shop ({APP})")
        self.gateway.webhook_secret = False
        self.assertCheck("secret", "secret_missing", "bad", "refused")
        self.gateway.webhook_secret = SECRET
        self.assertFine("secret")

    def test_secrets_in_each_other_s_place(self):
        self.meta.secret = "0123456789abcdef" * 2
        self.gateway.write(
            {"webhook_secret": "verify me", "whatsapp_security_key": self.meta.secret}
        )
        self.assertCheck("secret", "secret_swapped", "bad")
        self.assertEqual(self.fix("secret").state, "ok")
        self.assertEqual(self.gateway.webhook_secret, self.meta.secret)
        self.assertNotIn(
            self.gateway.whatsapp_security_key, ("verify me", self.meta.secret)
        )

    # ------------------------------------------------------------- address

    def test_address(self):
        parameters = self.env["ir.config_parameter"]
        fine = parameters.get_param("web.base.url")
        for base, outcome, word in (
            ("http://odoo.valle.mx", "address_http", "https"),
            ("https://10.0.0.4", "address_local", "10.0.0.4"),
            ("https://odoo.local", "address_local", "odoo.local"),
            ("http://localhost:8069", "address_local", "localhost"),
            ("https://odoo.valle.mx:8443", "address_port", "8443"),
        ):
            parameters.set_param("web.base.url", base)
            self.assertCheck("address", outcome, "bad", word, "web.base.url")
            self.assertEqual(self.check("reachable").outcome, "blocked")
        parameters.set_param("web.base.url", fine)
        self.assertFine("address")

    def test_an_address_that_may_change_is_kept(self):
        self.env["ir.config_parameter"].set_param("web.base.url.freeze", False)
        self.assertCheck("address", "address_loose", "warning", "logs in")
        self.assertEqual(self.fix("address").state, "ok")
        self.assertTrue(
            self.env["ir.config_parameter"].get_param("web.base.url.freeze")
        )

    def test_a_number_without_keys_gets_them(self):
        self.gateway.write({"webhook_key": False, "whatsapp_security_key": False})
        self.assertCheck("address", "address_missing", "bad")
        self.assertEqual(self.fix("address").state, "ok")
        self.assertTrue(self.gateway.webhook_key)

    def test_a_meta_on_this_machine_needs_no_public_address(self):
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("web.base.url", "http://127.0.0.1:8069")
        parameters.set_param(
            "mail_gateway_whatsapp_queue.graph_url", "http://127.0.0.1:8099"
        )
        self.assertCheck("address", "address_simulated", "ok")

    def test_our_own_door_answers(self):
        self.assertFine("reachable")
        self.gateway.integrated_webhook_state = False
        self.assertFine("reachable")

    def test_whoever_else_answers_is_told(self):
        for answer, outcome, state, word in (
            (Probe(404), "reachable_lost", "bad", "dbfilter"),
            (Probe(403, "refused"), "reachable_elsewhere", "bad", "dbfilter"),
            (Probe(403, "<html>WAF"), "reachable_other", "bad", "HTTP 403"),
            (Probe(200, "<html>"), "reachable_other", "bad", "HTTP 200"),
            (Probe(301, "", OTHER), "reachable_redirect", "bad", OTHER),
            (
                Probe(failure="certificate", why="CertificateError"),
                "reachable_certificate",
                "bad",
                "CertificateError",
            ),
            (Probe(failure="timeout"), "reachable_slow", "warning", "8 seconds"),
            (
                Probe(failure="offline", why="gaierror"),
                "reachable_none",
                "warning",
                "gai",
            ),
        ):
            with patch.object(
                self.checks, "_probe_webhook", lambda *args, found=answer: found
            ):
                self.assertCheck("reachable", outcome, state, word)
        with (
            patch.object(self.checks, "_probe_webhook", lambda *args: Probe(404)),
            patch.object(http, "db_list", lambda **kwargs: ["a", "b", "c"]),
        ):
            self.assertCheck("reachable", "reachable_databases", "bad", "3 databases")
        self.assertFine("reachable")

    # ------------------------------------------------------------- webhook

    def test_webhook_is_set_up_from_here(self):
        self.gateway.integrated_webhook_state = False
        self.meta.subscription = None

        def verify(url):
            state = self.env["mail.gateway"].browse(self.gateway.id)
            state.invalidate_recordset()
            self.assertEqual(state.integrated_webhook_state, "pending")
            answer = self.ask_webhook(
                key_of(url),
                "hub.mode=subscribe&hub.challenge=7&hub.verify_token=verify me",
            )
            return answer.text == "7"

        self.meta.verifies = verify
        self.assertCheck("webhook", "webhook_none", "bad", "Shop")
        self.assertEqual(self.fix("webhook").outcome, "webhook_ok")
        self.assertEqual(self.gateway.integrated_webhook_state, "integrated")
        self.assertEqual(self.meta.subscription["callback_url"], URL)
        names = {field["name"] for field in self.meta.subscription["fields"]}
        self.assertLessEqual({"messages", "smb_message_echoes"}, names)

    def test_what_meta_says_when_it_cannot_verify(self):
        self.meta.subscription = None
        self.meta.verifies = lambda url: False
        self.check("webhook")
        row = self.fix("webhook")
        self.assertEqual((row.outcome, row.state), ("webhook_unreached", "bad"))
        self.assertNotIn(SECRET, row.found)
        self.meta.verifies = None
        self.assertEqual(self.fix("webhook").state, "ok")

    def test_another_address_is_replaced_with_open_eyes_only(self):
        self.meta.subscription["callback_url"] = OTHER
        row = self.assertCheck("webhook", "webhook_other", "bad", OTHER)
        self.assertTrue(row.asks)
        # meanwhile somebody enters a third one
        self.meta.subscription["callback_url"] = OTHER + "/new"
        self.assertIn(OTHER + "/new", self.fix("webhook").found)
        self.assertEqual(self.meta.subscription["callback_url"], OTHER + "/new")
        self.assertEqual(self.fix("webhook").state, "ok")
        self.assertEqual(self.meta.subscription["callback_url"], URL)

    def test_fields_that_meta_does_not_tell_of(self):
        self.meta.subscription["fields"] = [{"name": "flows"}]
        self.assertCheck("webhook", "webhook_deaf", "bad", "messages")
        self.meta.subscription["fields"].append({"name": "messages"})
        self.assertCheck("webhook", "webhook_fields", "warning", "account_update")
        self.assertEqual(self.fix("webhook").state, "ok")
        names = {field["name"] for field in self.meta.subscription["fields"]}
        self.assertIn("flows", names, "nothing is taken away from others")
        self.assertLessEqual(set(NOTICES), names)

    def test_fields_that_meta_does_not_know_are_left_out(self):
        for names in (True, False):
            self.meta.unknown_fields = {"standby", "messaging_handovers", "calls"}
            self.meta.names_unknown = names
            self.meta.subscription["fields"] = [{"name": "messages"}]
            self.assertCheck("webhook", "webhook_fields", "warning", "standby")
            self.assertEqual(self.fix("webhook").state, "ok")
            got = {field["name"] for field in self.meta.subscription["fields"]}
            self.assertFalse(got & self.meta.unknown_fields)
            self.assertLessEqual({"messages", "user_preferences"}, got)
            self.assertEqual("history" in got, names)
            self.assertEqual(self.check("webhook").state, "ok", "not every day anew")
            # a later version knows them: the next press of the button asks again
            self.gateway.whatsapp_unknown_fields = False
            self.meta.unknown_fields = set()
            self.assertCheck("webhook", "webhook_fields", "warning", "standby")
            self.assertEqual(self.fix("webhook").state, "ok")
            got = {field["name"] for field in self.meta.subscription["fields"]}
            self.assertLessEqual({"standby", "messaging_handovers", "history"}, got)

    def test_a_webhook_that_is_off_or_was_never_verified(self):
        self.meta.subscription["active"] = False
        self.assertCheck("webhook", "webhook_off", "bad")
        self.assertEqual(self.fix("webhook").state, "ok")
        self.gateway.integrated_webhook_state = "pending"
        self.assertCheck("webhook", "webhook_unverified", "warning")

    def test_numbers_of_one_app_share_an_address(self):
        other = self.second_number()
        row = other.whatsapp_check_ids.filtered(lambda row: row.kind == "webhook")
        row.action_test()
        self.env.invalidate_all()
        self.assertEqual(
            (row.outcome, row.found.count("Sales")), ("webhook_sibling", 1)
        )

    def test_the_account_delivers_to_the_app(self):
        self.assertFine("subscribed")
        stranger = {"whatsapp_business_api_data": {"id": "5", "name": "Old CRM"}}
        for apps, outcome, word in (
            ([], "subscribed_nobody", "no app"),
            ([stranger], "subscribed_not", "Old CRM (5)"),
            (
                [{**self.meta.apps[0], "override_callback_uri": OTHER}],
                "subscribed_elsewhere",
                OTHER,
            ),
        ):
            self.meta.apps = apps
            self.assertCheck("subscribed", outcome, "bad", word)
            self.assertEqual(self.fix("subscribed").state, "ok")
        self.meta.apps[0]["override_callback_uri"] = URL
        self.meta.subscription["callback_url"] = OTHER
        self.gateway.action_whatsapp_test()
        self.assertEqual(self.row("webhook").outcome, "webhook_override")

    def test_a_refused_mending_is_said(self):
        self.meta.apps = []
        self.check("subscribed")
        with patch.object(
            type(self.meta),
            "_account",
            lambda *args: refusal(200, "no right, EAAtoken", 403),
        ):
            with self.assertRaisesRegex(UserError, "permissions.*no right") as caught:
                self.row("subscribed").action_fix()
        self.assertNotIn("EAAtoken", str(caught.exception))

    def test_deliveries_prove_the_secret(self):
        self.assertFine("signature")
        refused = self.post(self.delivery(), secret="wrong")
        self.assertEqual(refused.status_code, 403)
        self.sql(
            "UPDATE whatsapp_webhook_event"
            "   SET create_date = create_date - interval '1 hour'"
        )
        self.assertCheck("signature", "signature_after", "warning", "Signature")
        self.gateway.webhook_secret = "new one"
        self.sql("UPDATE mail_gateway SET whatsapp_refused_at = NULL")
        self.assertCheck("signature", "signature_since", "warning", "your own phone")
        self.post(self.delivery(), secret="wrong")
        self.sql(
            "UPDATE mail_gateway SET whatsapp_refused_at ="
            " whatsapp_secret_at + interval '1 second'"
        )
        self.assertCheck("signature", "signature_refused", "bad", "Signature")
        self.sql(
            "UPDATE mail_gateway SET whatsapp_secret_at = NULL,"
            " whatsapp_refused_at = NULL"
        )
        self.assertFine("signature")
        self.env["whatsapp.webhook.event"].search([]).unlink()
        self.assertFine("signature")  # the date of the last accepted delivery is kept
        self.env["whatsapp.gateway.check"].search([]).write({"values": False})
        self.assertCheck("signature", "signature_none", "warning")

    def sql(self, statement):
        self.env.flush_all()
        self.env.cr.execute(statement)
        self.env.invalidate_all()

    # ------------------------------------------------------------- team

    def test_templates(self):
        self.assertFine("templates")
        self.approved.state = "rejected"
        self.assertCheck("templates", "templates_waiting", "warning", "1 templates")
        self.approved.unlink()
        self.assertCheck("templates", "templates_none", "warning", "24 hours")
        self.meta.templates = [HELLO]
        self.assertEqual(self.fix("templates").outcome, "templates_ok")

    def test_who_is_told(self):
        self.assertFine("alerts")
        self.admin.email = False
        self.assertCheck("alerts", "alerts_mute", "warning", "setup-admin")
        self.gateway.whatsapp_alert_user_ids = False
        self.assertCheck("alerts", "alerts_default", "warning", "Nobody is chosen")
        self.admin.email = "admin@valle.mx"
        self.gateway.whatsapp_alert_user_ids = self.admin
        self.assertFine("alerts")

    # ------------------------------------------------------------- server

    def test_the_webhook_user_can_work(self):
        self.assertFine("worker")
        user = new_test_user(self.env, login="hook", groups="base.group_user")
        self.gateway.webhook_user_id = user
        self.assertFine("worker")
        user.active = False
        self.assertCheck("worker", "worker_archived", "warning", "hook", "OdooBot")
        self.assertEqual(self.fix("worker").state, "ok")
        portal = new_test_user(self.env, login="guest", groups="base.group_portal")
        self.gateway.webhook_user_id = portal
        self.assertCheck("worker", "worker_stranger", "warning", "no colleague")
        user.active = True
        other = self.env["res.company"].create({"name": "Elsewhere"})
        user.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        self.gateway.webhook_user_id = user
        self.assertCheck("worker", "worker_elsewhere", "warning", self.company.name)
        self.gateway.webhook_user_id = False
        self.assertCheck("worker", "worker_none", "warning", "OdooBot")
        self.assertEqual(self.fix("worker").state, "ok")

    def test_scheduled_actions(self):
        self.assertFine("crons")
        cron = self.env.ref("mail_gateway_whatsapp_queue.ir_cron_message_queue")
        cron.active = False
        self.assertCheck("crons", "crons_off", "bad", "send again")
        self.assertEqual(self.fix("crons").state, "ok")
        self.assertTrue(cron.active)
        cron.nextcall = fields.Datetime.now() - timedelta(minutes=20)
        self.assertCheck("crons", "crons_late", "bad", "max_cron_threads")
        cron.nextcall = fields.Datetime.now()
        self.assertFine("crons")

    # ------------------------------------------------------------- rights

    def test_a_salesperson_neither_tests_nor_reads(self):
        gateway = self.gateway.with_user(self.sofia)
        with self.assertRaises(AccessError):
            gateway.action_whatsapp_test()
        row = self.row("token").with_user(self.sofia)
        for call in (row.action_test, row.action_fix):
            with self.assertRaises(AccessError):
                call()
        with self.assertRaises(AccessError):
            row.read(["found"])
        for name in ("whatsapp_check_ids", "whatsapp_setup_summary"):
            with self.assertRaises(AccessError):
                gateway.read([name])
        manager = new_test_user(
            self.env, login="boss", groups="sales_team.group_sale_manager"
        )
        with self.assertRaises(AccessError):
            self.gateway.with_user(manager).action_whatsapp_test()
        self.assertFalse(self.meta.calls)
        self.assertTrue(gateway.read())

    def test_nobody_writes_a_result_by_hand(self):
        with self.assertRaises(AccessError):
            self.row("token").write({"state": "ok"})


class TestSetupDaily(SetupCase):
    """What the administrator hears of, and how often."""

    def day(self):
        self.env["mail.gateway"]._cron_whatsapp_setup()
        self.env.invalidate_all()

    def told(self):
        activities = self.env["mail.activity"].search(
            [("res_model", "=", "mail.gateway"), ("res_id", "=", self.gateway.id)]
        )
        self.assertLessEqual(len(activities), 1)
        return activities

    def test_what_gets_worse_is_told_once_and_closed_when_it_is_well(self):
        self.day()
        self.assertFalse(self.told())
        self.meta.numbers["10001"]["quality_rating"] = "RED"
        self.day()
        activity = self.told()
        self.assertEqual(activity.user_id, self.admin)
        self.assertIn("RED", activity.note)
        stamp = activity.write_date
        self.day()
        self.assertEqual((self.told(), activity.write_date), (activity, stamp))
        self.meta.numbers["10001"]["status"] = "BANNED"
        self.meta.apps = []
        self.day()
        self.assertEqual(self.told(), activity)
        self.assertIn("BANNED", activity.note)
        self.assertIn("no app at all", activity.note)
        self.meta.numbers["10001"].update(quality_rating="GREEN", status="CONNECTED")
        self.day()
        self.assertNotIn("BANNED", self.told().note)
        self.fix("subscribed")
        self.assertFalse(self.told(), "closed by the fix itself")

    def test_who_closes_it_hears_of_it_again_when_it_gets_worse_only(self):
        self.day()
        self.meta.numbers["10001"]["quality_rating"] = "RED"
        self.day()
        self.told().action_feedback(feedback="I know")
        self.day()
        self.assertFalse(self.told())
        self.meta.numbers["10001"]["status"] = "BANNED"
        self.day()
        self.assertTrue(self.told())

    def test_a_minute_without_meta_is_nothing_worse(self):
        self.day()
        self.meta.down = True
        self.day()
        self.assertFalse(self.told())
        row = self.row("token")
        self.assertEqual(row.state, "ok")
        self.assertTrue(row.missed_at)
        self.assertEqual(self.row("crons").state, "ok")
        self.meta.down = False
        self.day()
        self.assertFalse(self.row("token").missed_at)

    def test_without_an_answer_nothing_is_known_of_a_new_number(self):
        self.meta.down = True
        self.gateway.action_whatsapp_test()
        for kind in ("token", "number", "subscribed"):
            row = self.row(kind)
            self.assertEqual((row.state, row.outcome), ("unknown", "missed"))
            self.assertEqual(row.advice, "Try again in some minutes.")

    def test_one_cause_is_told_as_one(self):
        self.day()
        self.meta.token["is_valid"] = False
        self.day()
        self.assertEqual(self.told().note.count("<li>"), 1)
        self.meta.token["is_valid"] = True
        self.day()
        self.assertFalse(self.told())

    def test_what_was_tested_by_hand_counts_as_known(self):
        self.gateway.action_whatsapp_test()
        self.assertFalse(self.told())
        self.meta.apps = []
        self.day()
        self.assertIn("no app at all", self.told().note)

    def test_a_number_that_is_not_connected_is_left_in_peace(self):
        self.gateway.integrated_webhook_state = False
        self.day()
        self.assertFalse(self.meta.calls)

    def test_what_fails_again_after_it_was_mended_is_told_again(self):
        self.day()
        self.meta.apps = []
        self.day()
        self.assertTrue(self.told())
        self.meta.apps = [{"whatsapp_business_api_data": {"id": APP, "name": "Shop"}}]
        self.check("subscribed")
        self.assertFalse(self.told(), "a test by hand found it fixed")
        self.meta.apps = []
        self.day()
        self.assertIn("no app at all", self.told().note)

    def test_a_delivery_proves_that_it_was_mended(self):
        self.day()
        for broken in ("apps", "signature"):
            with self.subTest(broken=broken):
                self.break_(broken)
                self.day()
                self.told().action_feedback(feedback="Fixed")
                self.row("subscribed").gateway_id.sudo().whatsapp_check_ids.write(
                    {"checked_at": fields.Datetime.now() - timedelta(hours=9)}
                )
                self.receive(self.message(content="Still there?"))
                self.break_(broken)
                self.day()
                self.assertTrue(self.told())
                self.told().unlink()

    def break_(self, what):
        if what == "apps":
            self.meta.apps = []
            return
        self.post(self.delivery(), secret="wrong")
        self.gateway.sudo().whatsapp_refused_at = fields.Datetime.now() + timedelta(
            minutes=1
        )

    def test_a_second_number_of_the_app_is_tested_too(self):
        other = self.second_number()
        self.assertFalse(other.integrated_webhook_state, "Meta verified the first one")
        self.day()
        self.assertEqual(
            other.whatsapp_check_ids.filtered(lambda row: row.kind == "token").state,
            "ok",
        )

    def dead_token(self):
        """Meta takes the token no more; somebody answers a customer."""
        self.meta.token["is_valid"] = False
        channel = self.env["discuss.channel"].search(
            [("gateway_id", "=", self.gateway.id)]
        )
        self.answer(channel)
        self.send_due()
        self.env.invalidate_all()
        self.assertTrue(self.gateway.whatsapp_pause_reason)

    def alerts(self):
        return self.env["mail.activity"].search([("user_id", "=", self.admin.id)])

    @mute_logger(ALERT)
    def test_a_dead_token_is_told_once_if_the_daily_test_finds_it_first(self):
        self.day()
        self.meta.token["is_valid"] = False
        self.day()
        activity = self.told()
        self.dead_token()
        self.assertEqual(self.alerts(), activity)
        self.assertIn("Sending is paused", activity.note)
        self.meta.token["is_valid"] = True
        self.probe()
        self.assertFalse(self.gateway.whatsapp_pause_reason)
        self.assertFalse(self.alerts(), "Meta took a message: that proves it")
        self.meta.token["is_valid"] = False
        self.day()
        self.assertTrue(self.told(), "again")

    @mute_logger(ALERT)
    def test_a_dead_token_is_told_once_if_a_message_finds_it_first(self):
        self.day()
        self.dead_token()
        alert = self.alerts()
        self.assertEqual(len(alert), 1)
        self.day()
        self.assertEqual(self.alerts(), alert)
        self.env.ref("mail_gateway_whatsapp_queue.ir_cron_message_queue").active = False
        self.day()
        self.assertEqual(len(self.alerts()), 2)
        self.assertIn("Switched off", self.told().note, "another cause")

    @mute_logger(ALERT)
    def test_another_cause_is_another_alert(self):
        self.day()
        self.meta.numbers["10001"]["quality_rating"] = "RED"
        self.day()
        self.dead_token()
        self.assertEqual(len(self.alerts()), 2)

    def probe(self):
        self.gateway.sudo().whatsapp_probe_at = fields.Datetime.now()
        queue = self.env["whatsapp.message.queue"]
        self.env.flush_all()
        queue._probe(self.registry, self.gateway.id, None)
        self.env.invalidate_all()

    def test_the_warning_of_refused_deliveries_goes_with_the_next_one(self):
        self.assertFalse(self.gateway.whatsapp_refusing)
        self.break_("signature")
        self.env.invalidate_all()
        self.assertTrue(self.gateway.whatsapp_refusing)
        self.gateway.sudo().whatsapp_refused_at = fields.Datetime.now() - timedelta(
            minutes=1
        )
        self.receive(self.message(content="Hi"))
        self.env.invalidate_all()
        self.assertFalse(self.gateway.whatsapp_refusing)
        self.assertEqual(self.gateway.whatsapp_refused_count, 1)
        self.assertTrue(self.gateway.whatsapp_refused_at)
        self.assertIn("Signature", self.gateway.whatsapp_refused_reason)

    def test_a_delivery_for_another_number_of_the_app_counts(self):
        self.second_number()
        self.env["whatsapp.webhook.event"].search([]).unlink()
        self.break_("signature")
        self.gateway.sudo().whatsapp_refused_at = fields.Datetime.now() - timedelta(
            minutes=1
        )
        self.post(self.delivery(self.message(content="Hi"), number="10002"))
        self.env.invalidate_all()
        self.assertFalse(self.gateway.whatsapp_refusing)

    @mute_logger(SETUP)
    def test_one_number_does_not_keep_the_others_waiting(self):
        other = self.env["mail.gateway"].create(
            {
                "name": "Support",
                "gateway_type": "whatsapp",
                "token": "EAAtoken",
                "whatsapp_from_phone": "10002",
                "integrated_webhook_state": "integrated",
            }
        )
        usual = self.checks._run

        def run(checks, gateway, kinds=None):
            if gateway.id == self.gateway.id:
                raise ValueError("a bug")
            return usual(checks, gateway, kinds)

        with patch.object(self.checks, "_run", run):
            self.day()
        self.assertNotIn("unknown", other.whatsapp_check_ids[0].mapped("state"))

    def test_the_note_is_in_the_language_of_who_reads_it(self):
        self.day()
        self.meta.apps = []
        self.day()
        self.assertIn("The account delivers to the app", self.told().note)
        self.assertEqual(self.told().summary, "Sales: something got worse")
