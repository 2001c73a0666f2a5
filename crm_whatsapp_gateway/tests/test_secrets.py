# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
from contextlib import contextmanager, suppress
from unittest.mock import patch
from urllib.parse import quote

import psycopg2
import requests

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.mail_gateway_whatsapp_queue.models.mail_gateway import MailGateway
from odoo.addons.mail_gateway_whatsapp_queue.models.mail_gateway_secrets import (
    SECRET_FIELDS,
    UNIQUE,
    Secrets,
    WhatsappGatewaySecrets,
)
from odoo.addons.mail_gateway_whatsapp_queue.tools.errors import CloudApiError

from .common import ANA, HTTP
from .setup_common import APP, HELLO, SetupCase, refusal

# Each is found wherever it stands; none looks like anything else
TOKEN = "EAAGmarkTokenOne0001"
APP_SECRET = "5ec2e70000000000a77e57ed00000002"
VERIFY = "mark-verify-three-0003"
KEY = "mark-key-four-0004"
MARKS = {
    "token": TOKEN,
    "webhook_secret": APP_SECRET,
    "whatsapp_security_key": VERIFY,
    "webhook_key": KEY,
}
HIDDEN = (*MARKS, "webhook_url")
MAIN = "odoo.addons.mail_gateway_whatsapp_queue"
# what they say is meant to be said
EXPECTED = (
    f"{MAIN}.models.mail_gateway_secrets",
    f"{MAIN}.models.whatsapp_message_queue_alert",
)
LEAK = f"{TOKEN} {APP_SECRET} {VERIFY} {KEY}"
OPERATORS = (
    "=",
    "!=",
    "in",
    "not in",
    "like",
    "not ilike",
    "=like",
    "=ilike",
    "=?",
    ">",
)
TEXTS = ("text", "character varying", "character", "json", "jsonb", "bytea")


class _Log(logging.Handler):
    """Keeps what is logged, as a file would."""

    def __init__(self):
        super().__init__(level=0)
        self.lines = []
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))

    def emit(self, record):
        self.lines.append(self.format(record))


class SecretsCase(SetupCase):
    """A number whose secrets are marked, and somebody of each kind."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway.sudo().write(MARKS)
        cls.gateway.sudo().whatsapp_secret_at = False
        sells = "sales_team.group_sale_salesman,base.group_allow_export"
        manages = "sales_team.group_sale_manager,base.group_allow_export"
        cls.kinds = {
            "public": cls.env.ref("base.public_user"),
            "portal": new_test_user(cls.env, "s-portal", groups="base.group_portal"),
            "plain": new_test_user(
                cls.env, "s-plain", groups="base.group_user,base.group_allow_export"
            ),
            "seller": new_test_user(cls.env, "s-seller", groups=sells),
            "manager": new_test_user(cls.env, "s-manager", groups=manages),
            "gateway user": new_test_user(
                cls.env,
                "s-gateway",
                groups="base.group_user,mail_gateway.gateway_user,"
                "base.group_allow_export",
            ),
        }

    def setUp(self):
        super().setUp()
        self.meta.secret = APP_SECRET
        base = self.env["ir.config_parameter"].get_param("web.base.url")
        self.meta.subscription["callback_url"] = f"{base}/gateway/whatsapp/{KEY}/update"

    def post(self, body, secret=APP_SECRET, key=KEY, **kwargs):
        return super().post(body, secret=secret, key=key, **kwargs)

    @contextmanager
    def logged(self):
        """Keep every line that is logged; our own loggers say all they can."""
        handler, root = _Log(), logging.getLogger()
        expected = [logging.getLogger(name) for name in EXPECTED]
        talkative = [logging.getLogger(name) for name in (MAIN, "urllib3")]
        levels = [logger.level for logger in talkative]
        root.addHandler(handler)
        for logger in talkative:
            logger.setLevel(logging.DEBUG)
        try:
            with mute_logger(*EXPECTED):
                for logger in expected:
                    logger.addHandler(handler)
                yield handler.lines
        finally:
            for logger in expected:
                logger.removeHandler(handler)
            root.removeHandler(handler)
            for logger, level in zip(talkative, levels, strict=True):
                logger.setLevel(level)

    def assertUnmarked(self, text, where=""):
        text = str(text)
        for name, mark in MARKS.items():
            self.assertNotIn(mark, text, f"{where}: {name}")

    def attempt(self, where, work, guess=None):
        """Try something that may be refused; return what somebody learns by it.

        :param str guess: what the caller names; that it is repeated tells nothing
        """
        try:
            with self.env.cr.savepoint(flush=False):
                answer = str(work())
        except psycopg2.Error as error:
            self.fail(f"{where}: {error}")
        except Exception as error:  # whatever its kind: what counts is what it says
            answer = f"{type(error).__name__}: {error}"
        answer = answer.replace(guess, "?") if guess else answer
        self.assertUnmarked(answer, where)
        return answer


class TestNobodyReads(SecretsCase):
    def paths(self):
        """Yield each model, and a path of up to two steps from it to a gateway."""
        direct = {}
        for name, model in self.env.registry.items():
            if model._abstract or not model._auto:
                continue
            direct[name] = [
                field.name
                for field in model._fields.values()
                if field.relational and field.comodel_name == "mail.gateway"
            ]
        for name, steps in direct.items():
            yield from ((name, step) for step in steps)
            for field in self.env.registry[name]._fields.values():
                if field.relational:
                    for step in direct.get(field.comodel_name, ()):
                        yield name, f"{field.name}.{step}"

    def test_the_walk_finds_the_ways_that_are_known(self):
        found = set(self.paths())
        self.assertIn(("discuss.channel", "gateway_id"), found)
        self.assertIn(("crm.lead", "whatsapp_channel_ids.gateway_id"), found)
        self.assertIn(("whatsapp.message.queue", "gateway_id"), found)
        self.assertIn(("res.partner", "user_ids.gateway_ids"), found)

    def test_no_field_elsewhere_leads_to_a_secret(self):
        for name, model in self.env.registry.items():
            for field in model._fields.values():
                path = (field.related or "").split(".")
                if name == "mail.gateway" or path[-1] not in HIDDEN:
                    continue
                self.assertNotEqual(
                    field.related_field.model_name, "mail.gateway", str(field)
                )

    @mute_logger("odoo.models", "odoo.osv.expression", "odoo.domains", "py.warnings")
    def test_no_way_to_a_gateway_tells_a_secret(self):
        """By no search, from no model: right and wrong guesses look alike."""
        paths = list(self.paths())
        self.assertGreater(len(paths), 500)
        for kind in ("portal", "plain", "manager"):
            user = self.kinds[kind]
            for name, path in paths:
                model = self.env[name].with_user(user)
                if not model.has_access("read"):
                    continue
                # from one step away each secret; further away it is the same question
                for secret in HIDDEN if "." not in path else ("token",):
                    learned = {
                        self.attempt(
                            f"{kind}: {name}.{path}.{secret}",
                            lambda m=model, p=f"{path}.{secret}", g=guess: m.search(
                                [(p, "like", g)], limit=1
                            ),
                            guess,
                        )
                        for guess in (MARKS.get(secret, KEY), "no such thing")
                    }
                    self.assertEqual(len(learned), 1, f"{kind}: {name}.{path}.{secret}")

    def attempts(self, model, path, secret, mark):
        """Yield every call that might tell a secret of a gateway at the end of a path.

        :param model: the model with the rights of somebody
        :param str path: "" for the gateway itself
        :return: tuples of a name, a function, and what it guesses, if anything
        """
        dotted = f"{path}.{secret}" if path else secret
        spec = {secret: {}}
        for step in reversed(path.split(".") if path else []):
            spec = {step: {"fields": spec}}
        some = model.search([], limit=2)
        totals = [f"{dotted}:{how}" for how in ("max", "array_agg")]
        calls = {
            "read": lambda: some.read([dotted]),
            "search_read": lambda: model.search_read([], [dotted], limit=2),
            "web_search_read": lambda: model.web_search_read([], spec, limit=2),
            "web_read": lambda: some.web_read(spec),
            "onchange": lambda: some[:1].onchange({}, [], spec),
            "onchange of a new one": lambda: model.onchange({}, [], spec),
            "export": lambda: some.export_data([dotted.replace(".", "/")]),
            "order": lambda: model.search([], order=dotted, limit=2),
            "mapped": lambda: some.mapped(dotted),
            "sorted": lambda: some.sorted(dotted),
            "default_get": lambda: model.default_get([dotted]),
            "fields_get": lambda: model.fields_get([dotted]),
            "read_group": lambda: model.read_group([], ["id"], [dotted]),
            "read_group max": lambda: model.read_group([], totals[:1], []),
            "web_read_group": lambda: model.web_read_group([], ["id"], [dotted]),
            "web_read_group of 19": lambda: model.web_read_group([], [dotted]),
            "formatted": lambda: model.formatted_read_group([], [dotted], ["__count"]),
            "formatted max": lambda: model.formatted_read_group([], [], totals),
        }
        for call, work in calls.items():
            yield call, work, None
        for operator in OPERATORS:
            for guess in (mark, "no such thing"):
                value = [guess] if operator.endswith("in") else guess
                leaf, inner = (dotted, operator, value), [(secret, operator, value)]
                first, *steps = path.split(".")
                for step in reversed(steps):
                    inner = [(step, "any", inner)]
                calls = {
                    "search": lambda d=leaf: model.search([d]).ids,
                    "count": lambda d=leaf: model.search_count(["!", d]),
                    "name_search": lambda d=leaf: model.name_search("", [d]),
                    "filtered": lambda d=leaf: some.filtered_domain([d]),
                    "any": lambda d=inner, f=first: model.search([(f, "any", d)]).ids,
                    "not any": lambda d=inner, f=first: (
                        model.search([(f, "not any", d)]).ids
                    ),
                    "any!": lambda d=inner, f=first: model.search([(f, "any!", d)]).ids,
                }
                for call, work in calls.items():
                    yield f"{call} {operator}", work, guess

    def test_no_call_tells_a_secret_of_a_gateway(self):
        """Neither of the gateway itself, nor from the models that know one."""
        channel = self.env["discuss.channel"].search(
            [("gateway_id", "=", self.gateway.id)]
        )
        self.answer(channel, "Hello", user=self.env.user)
        ways = [
            ("mail.gateway", ""),
            ("discuss.channel", "gateway_id"),
            ("crm.lead", "whatsapp_channel_ids.gateway_id"),
            ("mail.whatsapp.template", "gateway_id"),
            ("whatsapp.message.queue", "gateway_id"),
            ("res.partner.gateway.channel", "gateway_id"),
            ("res.users", "gateway_ids"),
        ]
        tried = 0
        for kind, user in self.kinds.items():
            for name, path in ways:
                model = self.env[name].with_user(user)
                if not model.has_access("read"):
                    continue
                # further away it is the same question
                for secret in ("token",) if path else MARKS:
                    answers, mark = {}, MARKS[secret]
                    for call, work, guess in self.attempts(model, path, secret, mark):
                        where = f"{kind}: {name}.{path}.{secret} by {call}"
                        answer = self.attempt(where, work, guess)
                        # those with a guess are asked twice: a right and a wrong one
                        answers.setdefault(call, set()).add(answer)
                        tried += 1
                    for call, different in answers.items():
                        self.assertEqual(len(different), 1, f"{kind} {name} {call}")
        self.assertGreater(tried, 2000)

    @mute_logger("py.warnings")
    def test_the_channel_s_field_of_oca_leads_nowhere(self):
        name = "gateway_token"
        field = self.env["discuss.channel"]._fields[name]
        self.assertFalse(field.related or field.store)
        channel = self.env["discuss.channel"].search(
            [("gateway_id", "=", self.gateway.id)]
        )
        self.assertFalse(channel.sudo().gateway_token)
        for kind, user in {**self.kinds, "administrator": self.admin}.items():
            channels = self.env["discuss.channel"].with_user(user)
            for work in (
                lambda c=channels: c.search([(name, "like", "EA%")]),
                lambda c=channels: c.read_group([], ["id"], [name]),
                lambda c=channels: c._read_group([], [name]),
                lambda c=channels: c._read_group([], [], [f"{name}:max"]),
                lambda c=channels: c.search([], order=name),
            ):
                said = self.attempt(kind, work)
                self.assertRegex(said, "^(AccessError|ValueError): ", kind)

    def test_what_our_code_used_is_not_in_the_cache(self):
        gateway = self.gateway.sudo()
        seller = self.kinds["seller"]

        def use():
            gateway._whatsapp_secrets()
            gateway._whatsapp_cloud_api()
            gateway._whatsapp_webhook(KEY)
            gateway._get_gateway_map(gateway_type="whatsapp")
            gateway._whatsapp_siblings()
            gateway.env["whatsapp.gateway.check"]._run(gateway)
            # any field of a record brings others along
            gateway.mapped("can_set_webhook")
            gateway.mapped("name")
            gateway.write({"token": TOKEN, "whatsapp_security_key": VERIFY})

        mine = gateway.with_user(seller)
        self.assertEqual(mine.name, "Sales")
        templates = self.env["mail.template"].create(
            [
                {
                    "name": name,
                    "model_id": self.env["ir.model"]._get_id("mail.gateway"),
                    "subject": f"{{{{ object.{name} }}}}",
                    "body_html": f'<p><t t-out="object.{name}"/></p>',
                }
                for name in MARKS
            ]
        )
        for name in HIDDEN:
            for work in (
                lambda n=name: mine[n],
                lambda n=name: mine.mapped(n),
                lambda n=name: mine.read([n]),
                lambda n=name: mine.filtered(n),
                lambda n=name: mine.filtered_domain([(n, "like", "mark")]),
                lambda n=name: mine.export_data(["can_set_webhook", n]),
            ):
                use()
                with self.assertRaises(AccessError, msg=name):
                    work()
        for template in templates:
            for field in ("subject", "body_html"):
                use()
                with self.assertRaises(UserError), mute_logger("odoo.addons.mail"):
                    template.with_user(seller)._render_field(field, gateway.ids)
        for kind, user in self.kinds.items():
            use()
            self.attempt(kind, lambda u=user: gateway.with_user(u).read())
            self.attempt(kind, lambda u=user: gateway.with_user(u).display_name)
            self.attempt(kind, lambda u=user: gateway.with_user(u).gateway_info())

    def test_the_secrets_hide_themselves(self):
        secrets = self.gateway._whatsapp_secrets()
        self.assertEqual(secrets, Secrets(TOKEN, APP_SECRET, VERIFY, KEY))
        self.assertEqual(f"{secrets} {secrets!r}", "Secrets(***) Secrets(***)")
        self.gateway.sudo().token = "EAAother"
        self.assertEqual(self.gateway._whatsapp_secrets().token, "EAAother")
        self.assertEqual(self.gateway.new()._whatsapp_secrets(), Secrets())
        for name in SECRET_FIELDS:
            self.assertFalse(self.gateway._fields[name].prefetch, name)

    def test_an_administrator_reads_and_sees_the_address(self):
        self.assertEqual(self.gateway.read(["token"])[0]["token"], TOKEN)
        self.assertEqual(self.gateway.webhook_url, self.gateway._whatsapp_webhook_url())
        self.assertIn(KEY, self.gateway.webhook_url)

    def test_every_public_method_asks_for_the_right_first(self):
        check = self.gateway.sudo().whatsapp_check_ids[:1]
        methods = (
            "action_whatsapp_resume",
            "action_whatsapp_test",
            "button_import_whatsapp_template",
            "remove_webhook",
            "set_webhook",
            "update_webhook",
        )
        self.gateway.sudo().whatsapp_templates_at = False
        calls = len(self.meta.calls)
        for kind, user in self.kinds.items():
            for method in methods:
                with self.assertRaises(AccessError, msg=f"{kind}: {method}"):
                    getattr(self.gateway.with_user(user), method)()
            for method in ("action_test", "action_fix"):
                with self.assertRaises(AccessError, msg=f"{kind}: {method}"):
                    getattr(check.with_user(user), method)()
            for method in ("button_export_template", "button_sync_template"):
                with self.assertRaises(AccessError, msg=f"{kind}: {method}"):
                    getattr(self.approved.with_user(user), method)()
        self.assertEqual(len(self.meta.calls), calls, "Meta was asked")
        self.assertFalse(self.gateway.sudo().whatsapp_templates_at)
        self.assertEqual(self.gateway.integrated_webhook_state, "integrated")


@tagged(HTTP)
class TestNobodyIsTold(SecretsCase, HttpCase):
    """Nothing that happens puts a secret into a log, a text or another table."""

    over_http = True  # the server logs addresses

    def channel(self):
        return self.env["discuss.channel"].search(
            [
                ("gateway_id", "=", self.gateway.id),
                ("gateway_channel_token", "=", ANA["from"]),
            ]
        )

    def leaking(self, code=131000, status=400):
        """Meta's answer that repeats all it was sent, in every part."""
        address = f"https://graph.facebook.com/x?access_token={quote(TOKEN)}&a={KEY}"
        return refusal(
            code,
            f"No: {LEAK}",
            status,
            error_data={"details": f"{address} appsecret_proof=abc {LEAK}"},
            error_user_msg=LEAK,
            fbtrace_id=TOKEN,
        )

    def answers(self, answer):
        """Let Meta answer everything so."""
        return patch.object(type(self.meta), "_answer", lambda *args: answer)

    def broken(self, *args, **kwargs):
        raise requests.ConnectionError(
            f"HTTPSConnectionPool(host='x'): url: /debug_token?input_token={TOKEN}"
            f" {LEAK}"
        )

    def work_hard(self):
        """Do everything that has to do with secrets, well and badly."""
        channel = self.channel()
        with self.answers({"messages": [{"id": "wamid.1"}]}):
            self.answer(channel, "Fine", user=self.env.user)
            self.send_due()
        for code, status in ((131000, 500), (190, 401), (131009, 400), (80007, 400)):
            self.gateway.sudo().action_whatsapp_resume()
            with self.answers(self.leaking(code, status)):
                row = self.answer(channel, f"Refused {code}", user=self.env.user)
                self.send_due()
            self.assertTrue(row.attempt_ids, code)
            row.action_cancel()  # else the next one waits for it
        self.gateway.sudo().action_whatsapp_resume()
        with patch.object(type(self.meta), "request", self.broken):
            self.answer(channel, "Broken", user=self.env.user)
            self.send_due()
            self.gateway._whatsapp_test()
            self.gateway._cron_whatsapp_setup()
        with self.answers({"messages": [{"id": "wamid.2"}]}):
            sent = self.answer(channel, "Fails later", user=self.env.user)
            self.gateway.sudo().action_whatsapp_resume()
            self.send_due()
        self.status(
            sent, "failed", errors=[{"code": 131026, "title": "No", "message": "No"}]
        )
        self.set_up()
        self.refuse_deliveries()
        self.save()

    def set_up(self):
        self.gateway._whatsapp_test()
        # addresses that say where Meta delivers to, and where one is led to
        base = "https://other.example.org"
        self.meta.subscription["callback_url"] = f"{base}/gateway/whatsapp/{KEY}/update"
        self.gateway._whatsapp_test(["webhook"])
        self.meta.apps = [
            {
                "whatsapp_business_api_data": {"id": APP, "name": "Shop"},
                "override_callback_uri": f"{base}/{KEY}",
            }
        ]
        self.gateway._whatsapp_test(["subscribed", "webhook"])
        self.gateway._cron_whatsapp_setup()
        with self.answers(self.leaking(190, 401)):
            self.gateway._whatsapp_test()
            self.gateway._cron_whatsapp_setup()
            with self.assertRaises(UserError) as refused:
                self.gateway.button_import_whatsapp_template()
            self.assertUnmarked(refused.exception)
            for method in ("button_export_template", "button_sync_template"):
                with self.assertRaises(UserError) as refused:
                    getattr(self.approved, method)()
                self.assertUnmarked(refused.exception, method)
            with suppress(UserError):
                self.row("webhook").action_fix()
        self.meta.templates = [HELLO]
        self.gateway.button_import_whatsapp_template()

    def refuse_deliveries(self):
        delivery = self.delivery(self.message(content="Hi"))
        self.assertEqual(self.post(delivery, secret="wrong").status_code, 403)
        self.assertEqual(self.post(b"{").status_code, 400)
        address = f"/gateway/whatsapp/{KEY}/update?hub.mode=subscribe&hub.challenge=1"
        for token in ("wrong", VERIFY):
            self.url_open(f"{address}&hub.verify_token={token}")

    def save(self):
        gateways = self.env["mail.gateway"].with_user(self.admin)
        new = {"name": "Two", "gateway_type": "whatsapp", **MARKS}
        wrong = [
            {**new, "whatsapp_from_phone": "10001", "webhook_key": "k2"},
            new,
            {**new, "name": False, "webhook_key": "k3"},
            {**new, "token": False, "webhook_key": "k4"},
            {**new, "company_id": 987654321, "webhook_key": "k5"},
            {**new, "token": "EAA\x00" + TOKEN, "webhook_key": "k6"},
        ]
        for checked in (True, False):
            for values in wrong:
                with self.unchecked(not checked), suppress(ValidationError, ValueError):
                    with self.env.cr.savepoint():
                        gateways.create(values)
        other = gateways.create({**new, "webhook_key": "k7", "token": "EAAx"})
        for values in (
            {"token": TOKEN, "name": False},
            {"token": TOKEN, "company_id": 987654321},
            {"token": TOKEN, "webhook_key": KEY},
            {"token": TOKEN, "whatsapp_from_phone": "10001"},
            {"name": False},
        ):
            for checked in (True, False):
                if not checked and values == {"name": False}:
                    continue  # nothing of ours is in the way of the database then
                with self.unchecked(not checked), self.assertRaises(ValidationError):
                    other.write(values)
        self.gateway.copy()

    @contextmanager
    def unchecked(self, really):
        """Let the database refuse: somebody else was quicker than our question."""
        if not really:
            yield
            return
        with (
            patch.object(WhatsappGatewaySecrets, "_check_taken", lambda *args: None),
            patch.object(WhatsappGatewaySecrets, "_check_filled", lambda *args: None),
        ):
            yield

    def test_nothing_is_logged_and_nothing_is_kept(self):
        with self.logged() as lines:
            self.work_hard()
        self.assertGreater(len(lines), 20)
        for line in lines:
            self.assertUnmarked(line, "log")
        self.assertTrue(any("/gateway/whatsapp/***/update" in line for line in lines))
        self.assertFalse(any("bad query" in line for line in lines))
        # sanity: what is hidden was there to be hidden
        attempts = self.env["whatsapp.message.attempt"].search([]).mapped("details")
        self.assertTrue(any("***" in (details or "") for details in attempts))
        self.env.flush_all()
        for table, columns in self.text_columns().items():
            found = self.env.execute_query(
                SQL(
                    "SELECT ctid::text FROM %s WHERE concat_ws(' ', %s) ~ %s LIMIT 1",
                    SQL.identifier(table),
                    SQL(", ").join(
                        SQL("encode(%s, 'escape')", SQL.identifier(column))
                        if kind == "bytea"
                        else SQL("%s::text", SQL.identifier(column))
                        for column, kind in columns
                    ),
                    "|".join(MARKS.values()),
                )
            )
            self.assertFalse(found, table)

    def text_columns(self):
        """Return the columns with texts of every table but the gateway's own."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT columns.table_name, columns.column_name, columns.data_type
                  FROM information_schema.columns
                  JOIN information_schema.tables USING (table_schema, table_name)
                 WHERE table_schema = 'public'
                   AND tables.table_type = 'BASE TABLE'
                   AND columns.data_type IN %s
                """,
                TEXTS,
            )
        )
        tables = {}
        for table, column, kind in rows:
            tables.setdefault(table, []).append((column, kind))
        self.assertIn("whatsapp_gateway_check", tables)
        del tables["mail_gateway"]
        return tables

    def test_the_words_of_meta_stay_readable(self):
        channel = self.channel()
        with self.answers(self.leaking(131009)):
            row = self.answer(channel, "Hello", user=self.env.user)
            self.send_due()
        self.assertIn("[131009] No: *** *** *** ***", row.error_details)

    def test_a_code_that_fails_hides_what_it_says(self):
        error = CloudApiError("uncertain", details=f"x?access_token={TOKEN}&b=c")
        self.assertEqual(str(error), "x?access_token=***&b=c")


class TestOneNumberOneGateway(SecretsCase):
    def new(self, **values):
        return (
            self.env["mail.gateway"]
            .with_user(self.admin)
            .create(
                {
                    "name": "Two",
                    "gateway_type": "whatsapp",
                    "token": TOKEN,
                    "whatsapp_from_phone": "10002",
                    **values,
                }
            )
        )

    def assertRefused(self, *words, **values):
        with self.assertRaises(ValidationError) as refused:
            self.new(**values)
        for word in words:
            self.assertIn(word, str(refused.exception))
        self.assertUnmarked(refused.exception)

    def test_several_numbers_share_a_token(self):
        two, three = self.new(), self.new(whatsapp_from_phone="10003")
        self.assertEqual(two._whatsapp_secrets().token, TOKEN)
        self.assertEqual(three._whatsapp_secrets().token, TOKEN)
        self.assertTrue(self.new(whatsapp_from_phone=False))
        self.assertTrue(self.new(whatsapp_from_phone=""))

    def test_a_number_has_one_gateway_whatever_its_token(self):
        self.assertRefused("10001", "Sales", whatsapp_from_phone="10001", token="EAAb")
        self.assertRefused("10001", "Sales", whatsapp_from_phone=" 10001 ")
        two = self.new()
        with self.assertRaises(ValidationError) as refused:
            two.whatsapp_from_phone = "10001"
        self.assertIn("Sales", str(refused.exception))
        two.whatsapp_from_phone = "10004"
        two.whatsapp_from_phone = "10004"
        with self.assertRaises(ValidationError):
            (two + self.new()).write({"whatsapp_from_phone": "10009"})

    def test_an_archived_number_is_to_be_unarchived(self):
        self.gateway.sudo().active = False
        self.assertRefused("10001", "Sales", "unarchive", whatsapp_from_phone="10001")

    def token_of(self, *gateways):
        return [gateway._whatsapp_secrets().token for gateway in gateways]

    def test_a_new_token_can_be_put_where_the_old_one_still_is(self):
        two, apart = self.new(), self.new(whatsapp_from_phone="10003", token="EAAapart")
        other = self.env["res.company"].create({"name": "Other"})
        far = self.new(whatsapp_from_phone="10004")
        far.sudo().company_id = other
        self.gateway.token = "EAAnew"
        self.assertEqual(self.gateway.whatsapp_token_sharer_ids, two)
        self.assertFalse(self.gateway.whatsapp_secret_sharer_ids)
        self.assertEqual(self.token_of(two), [TOKEN], "nobody was asked yet")
        self.gateway.action_whatsapp_share()
        self.assertEqual(self.token_of(two, apart, far), ["EAAnew", "EAAapart", TOKEN])
        self.assertFalse(self.gateway.whatsapp_token_sharer_ids)
        self.assertFalse(two.whatsapp_token_sharer_ids)

    def test_a_new_app_secret_likewise(self):
        two = self.new(webhook_secret=APP_SECRET)
        self.gateway.webhook_secret = "another secret"
        self.assertEqual(self.gateway.whatsapp_secret_sharer_ids, two)
        self.gateway.action_whatsapp_share()
        self.assertEqual(two._whatsapp_secrets().app_secret, "another secret")

    def test_whoever_gets_the_token_by_hand_is_offered_no_more(self):
        two, three = self.new(), self.new(whatsapp_from_phone="10003")
        self.gateway.token = "EAAnew"
        self.gateway.token = "EAAnewer"
        self.assertEqual(self.gateway.whatsapp_token_sharer_ids, two | three)
        two.token = "EAAnewer"
        self.assertEqual(self.gateway.whatsapp_token_sharer_ids, three)
        self.gateway.token = TOKEN
        self.assertEqual(self.gateway.whatsapp_token_sharer_ids, two, "as before")
        self.gateway.token = "EAAnew"
        self.gateway.action_whatsapp_keep_apart()
        self.assertFalse(self.gateway.whatsapp_token_sharer_ids)
        self.assertEqual(self.token_of(three), [TOKEN])

    def test_what_is_offered_leaves_no_secret_behind(self):
        two = self.new()
        self.gateway.token = "EAAnew"
        self.gateway.action_whatsapp_share()
        with self.assertRaises(AccessError):
            two.with_user(self.kinds["seller"]).mapped("token")
        for user in self.kinds.values():
            with self.assertRaises(AccessError):
                self.gateway.with_user(user).read(["whatsapp_token_sharer_ids"])
            with self.assertRaises(AccessError):
                self.gateway.with_user(user).action_whatsapp_share()

    def test_the_name_of_another_company_s_gateway_is_not_told(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.gateway.sudo().company_id = other
        with self.assertRaises(ValidationError) as refused:
            self.new(whatsapp_from_phone="10001")
        self.assertNotIn("Sales", str(refused.exception))
        self.assertIn("another gateway", str(refused.exception))

    def test_two_of_one_call_are_refused(self):
        values = {"name": "A", "gateway_type": "whatsapp", "token": "EAAb"}
        with self.assertRaises(ValidationError):
            self.env["mail.gateway"].create(
                [{**values, "whatsapp_from_phone": "10005"} for _each in range(2)]
            )

    def test_a_webhook_key_has_one_gateway(self):
        self.assertRefused("webhook key", "Sales", webhook_key=KEY)

    def test_nobody_learns_a_key_by_trying_it(self):
        for user in self.kinds.values():
            gateways = self.env["mail.gateway"].with_user(user)
            for value in (KEY, "wrong"):
                with self.assertRaises(AccessError):
                    gateways.create(
                        {
                            "name": "A",
                            "gateway_type": "whatsapp",
                            "token": "x",
                            "webhook_key": value,
                        }
                    )
                with self.assertRaises(AccessError):
                    self.gateway.with_user(user).write({"webhook_key": value})

    def test_what_is_missing_is_named(self):
        with self.assertRaises(ValidationError) as refused:
            self.env["mail.gateway"].create({"gateway_type": "whatsapp"})
        self.assertIn("Name, Token", str(refused.exception))

    def test_the_database_keeps_them_apart_without_a_secret_in_its_words(self):
        for values, word in (
            ({"whatsapp_from_phone": "10001"}, "10001"),
            ({"webhook_key": KEY}, "hashtextextended"),
        ):
            with (
                self.assertRaises(psycopg2.errors.UniqueViolation) as refused,
                self.env.cr.savepoint(),
                mute_logger("odoo.sql_db"),
            ):
                self.insert("whatsapp", **values)
            self.assertIn(word, str(refused.exception))
            self.assertUnmarked(refused.exception)

    def insert(self, kind, token="t", **values):
        """Make a gateway past Odoo, also of a kind that is not installed here."""
        row = {
            "name": "Past",
            "gateway_type": kind,
            "token": token,
            "whatsapp_absence_rule": "pass_on",
            "whatsapp_lead_type": "team",
            "whatsapp_receipts": "none",
            **values,
        }
        [(gateway_id,)] = self.env.execute_query(
            SQL(
                "INSERT INTO mail_gateway (%s) VALUES %s RETURNING id",
                SQL(", ").join(map(SQL.identifier, row)),
                tuple(row.values()),
            )
        )
        return self.env["mail.gateway"].browse(gateway_id)

    def test_the_token_of_another_kind_of_gateway_stays_unique(self):
        self.insert("telegram", token="tg-mark-token")
        gateways = self.env["mail.gateway"]
        values = {"gateway_type": "telegram", "token": "tg-mark-token"}
        with self.assertRaises(ValidationError) as refused:
            gateways._check_taken([values])
        self.assertIn("Past", str(refused.exception))
        self.assertNotIn("tg-mark-token", str(refused.exception))
        gateways._check_taken([{**values, "gateway_type": "whatsapp"}])
        with (
            self.assertRaises(psycopg2.errors.UniqueViolation) as refused,
            self.env.cr.savepoint(),
            mute_logger("odoo.sql_db"),
        ):
            self.insert("telegram", token="tg-mark-token")
        self.assertNotIn("tg-mark-token", str(refused.exception))
        self.insert("whatsapp", token="tg-mark-token")

    def test_a_database_with_duplicates_can_be_updated(self):
        drop = "DROP INDEX mail_gateway_whatsapp_number_uniq"
        self.env.cr.execute(drop)
        twice = self.insert("whatsapp", whatsapp_from_phone="10001")
        with self.logged() as lines:
            self.env["mail.gateway"].init()
        said = [line for line in lines if "whatsapp_number" in line]
        self.assertEqual(len(said), 1)
        self.assertIn(str([self.gateway.id, twice.id]), said[0])
        self.assertUnmarked(said)
        # what has nothing to do with it can be changed all the same
        twice.write({"token": "EAAnew", "webhook_key": "new"})
        with self.assertRaises(ValidationError):
            twice.write({"whatsapp_from_phone": "10001"})
        twice.unlink()
        self.env["mail.gateway"].init()
        self.env.cr.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'mail_gateway'"
        )
        names = {name for (name,) in self.env.cr.fetchall()}
        self.assertLessEqual(set(UNIQUE), names)

    def test_no_unique_constraint_holds_a_secret(self):
        self.env.cr.execute(
            """
            SELECT pg_get_constraintdef(oid) FROM pg_constraint
             WHERE conrelid = 'mail_gateway'::regclass AND contype = 'u'
            """
        )
        for (definition,) in self.env.cr.fetchall():
            for name in SECRET_FIELDS:
                self.assertNotIn(name, definition)

    def test_a_conflict_passes_as_it_is(self):
        def conflict(*args, **kwargs):
            raise psycopg2.errors.SerializationFailure("again")

        with (
            patch.object(MailGateway, "flush_recordset", conflict),
            self.assertRaises(psycopg2.errors.SerializationFailure),
        ):
            self.gateway.write({"token": "EAAother"})

    def test_a_duplicate_keeps_the_settings_and_takes_no_secret(self):
        self.gateway.write(
            {
                "whatsapp_team_id": self.team.id,
                "whatsapp_stop_words": "NO",
                "whatsapp_reopen_days": 7,
                "whatsapp_employee_ids": [Command.set(self.employees.ids)],
            }
        )
        self.gateway.sudo().write(
            {"whatsapp_pause_reason": "Paused", "whatsapp_limit": "1"}
        )
        copied = self.gateway.copy()
        self.assertEqual(copied.name, "Sales (copy)")
        self.assertEqual(copied.whatsapp_team_id, self.team)
        self.assertEqual(copied.whatsapp_stop_words, "NO")
        self.assertEqual(copied.whatsapp_reopen_days, 7)
        self.assertEqual(copied.whatsapp_employee_ids, self.employees)
        self.assertFalse(copied.whatsapp_from_phone)
        self.assertFalse(copied.integrated_webhook_state)
        self.assertFalse(copied.whatsapp_pause_reason or copied.whatsapp_limit)
        secrets = copied._whatsapp_secrets()
        self.assertFalse(secrets.token or secrets.app_secret)
        for name in ("webhook_key", "verify_token"):
            self.assertGreater(len(getattr(secrets, name)), 30)
        self.assertUnmarked(copied.read())
        self.assertEqual(
            copied.env["whatsapp.gateway.check"]
            ._run(copied, ["token"])
            .results["token"]
            .outcome,
            "token_missing",
        )
        self.assertTrue(copied.copy(), "as often as one likes")


class TestNamedByTheCaller(SecretsCase):
    """Models, ids and fields that a caller names are those that the caller may read."""

    def composer(self, user, model, res_id, name, **values):
        return (
            self.env["whatsapp.composer"]
            .with_user(user)
            .create(
                {
                    "res_model": model,
                    "res_id": res_id,
                    "number_field_name": name,
                    "gateway_id": self.gateway.id,
                    "body": "Hello",
                    **values,
                }
            )
        )

    def assertRefused(self, user, *args, **values):
        """Neither sending nor looking tells anything; Return the refusal."""
        calls = len(self.meta.calls)
        composer = self.composer(user, *args, **values)
        self.attempt(args, lambda: composer.read())
        self.attempt(args, composer.action_view_whatsapp)
        self.attempt(args, composer.onchange_template_id)
        with self.assertRaises(UserError) as refused:
            composer.action_send_whatsapp()
        self.assertUnmarked(refused.exception, args)
        self.assertEqual(len(self.meta.calls), calls)
        return str(refused.exception)

    def test_the_composer_reads_no_secret(self):
        for kind in ("plain", "seller", "manager", "gateway user"):
            for name in HIDDEN:
                self.assertRefused(
                    self.kinds[kind], "mail.gateway", self.gateway.id, name
                )

    def test_the_composer_reads_phone_numbers_only(self):
        partner = self.env["res.partner"].create(
            {"name": "Bob", "email": "bob@private.example", "phone": "+34612345678"}
        )
        seller = self.kinds["seller"]
        for name in ("email", "name", "id", "message_ids", "write", "__dict__", "", 0):
            said = self.assertRefused(seller, "res.partner", partner.id, name)
            self.assertNotIn("private", said)
        for model in ("ir.config_parameter", "res.company", "no.such", "", "base"):
            self.assertRefused(seller, model, 1, "phone")
        self.assertRefused(seller, "whatsapp.composer", 1, "body")
        self.assertRefused(seller, "res.partner", 987654321, "phone")
        composer = self.composer(seller, "res.partner", partner.id, "phone")
        with self.assertRaisesRegex(UserError, "24 hours"):
            composer.action_send_whatsapp()
        channel = partner.with_user(seller)._whatsapp_get_channel("phone", self.gateway)
        self.assertEqual(channel.sudo().gateway_channel_token, "34612345678")

    def test_the_composer_repeats_no_value_of_a_record_that_is_hidden(self):
        lead = self.env["crm.lead"].create(
            {"name": "Hidden", "phone": "not a number", "user_id": self.admin.id}
        )
        template = self.template("Dear {{1}}", name="Dear")
        template.variable_ids.field_name = "name"
        for user in (self.kinds["plain"], self.kinds["seller"]):
            said = self.assertRefused(
                user, "crm.lead", lead.id, "phone", template_id=template.id
            )
            self.assertNotIn("not a number", said)
            composer = self.composer(
                user, "crm.lead", lead.id, "phone", template_id=template.id
            )
            with self.assertRaises(AccessError):
                composer.onchange_template_id()
            with self.assertRaises(AccessError):
                lead.with_user(user)._whatsapp_person("phone")
            with self.assertRaises(AccessError):
                lead.with_user(user)._whatsapp_get_channel("phone", self.gateway)

    def test_a_template_is_about_its_own_kind_of_document(self):
        partner = self.env["res.partner"].create({"name": "B", "phone": "+34612345678"})
        composer = self.composer(
            self.kinds["seller"],
            "res.partner",
            partner.id,
            "phone",
            template_id=self.template("Dear {{1}}", name="Other").id,
        )
        with self.assertRaises(UserError):
            composer.onchange_template_id()

    def test_a_template_shows_nothing_of_administrators(self):
        for path in (
            "whatsapp_channel_ids.gateway_id.token",
            "whatsapp_channel_ids.gateway_id.webhook_url",
            "whatsapp_channel_ids.gateway_id.whatsapp_account_id",
            "whatsapp_channel_ids.gateway_token",
            "create_uid.gateway_ids.webhook_secret",
            "user_id.password",
            "user_id.new_password",
            "user_id.api_key_ids.scope",
        ):
            template = self.template("Dear {{1}}", name=path)
            with self.assertRaises(ValidationError, msg=path):
                template.variable_ids.field_name = path
        template = self.template("Dear {{1}}", name="fine")
        for path in ("name", "user_id.name", "whatsapp_channel_ids.gateway_id.name"):
            template.variable_ids.field_name = path

    def template_of_before(self):
        """Return a template that leads to a token, as it could be stored once, and a
        lead with a conversation.
        """
        template = self.template("Dear {{1}}", name="Dear")
        template.variable_ids.field_name = "name"
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mail_whatsapp_template_variable SET field_name = %s WHERE id = %s",
            ("whatsapp_channel_ids.gateway_id.token", template.variable_ids.id),
        )
        self.env.invalidate_all()
        channels = self.env["discuss.channel"].search([("lead_id", "!=", False)])
        return template, channels.lead_id[:1]

    def test_a_path_of_before_is_refused_when_it_is_shown(self):
        template, lead = self.template_of_before()
        variable = template._whatsapp_variables()[0]
        for user in (self.kinds["manager"], self.admin):
            with self.assertRaises(UserError) as refused:
                template.with_user(user)._whatsapp_default(variable, lead)
            self.assertUnmarked(refused.exception)
        with self.assertRaises(UserError):
            template.with_context(default_res_id=lead.id).render_body_message()

    def test_an_action_shows_no_secret(self):
        template, lead = self.template_of_before()
        action = self.env["ir.actions.server"].create(
            {
                "name": "Send",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "state": "whatsapp",
                "whatsapp_template_id": template.id,
                "whatsapp_gateway_id": self.gateway.id,
            }
        )
        rows = self.env["whatsapp.message.queue"].search_count([])
        action.with_context(active_model="crm.lead", active_ids=lead.ids).run()
        self.assertEqual(self.env["whatsapp.message.queue"].search_count([]), rows)
        self.assertUnmarked(lead.message_ids.mapped("body"))
        self.assertIn("administrators only", str(lead.message_ids[0].body))
