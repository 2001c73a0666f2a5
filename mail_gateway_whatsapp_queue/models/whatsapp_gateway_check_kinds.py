# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import UTC, datetime, timedelta

from odoo import api, fields, models

from ..tools import probe, setup
from ..tools.cloud_api import COEXISTENCE, PHONE_NUMBER_FIELDS
from ..tools.errors import CloudApiError
from ..tools.setup import CheckResult

PATIENCE = (5, 9)  # seconds to connect to Meta, and to wait for its answer
OVERDUE = 15  # minutes until a scheduled action is late
NEUTRALIZED = "neutralized-"  # begins what neutralize.sql leaves of a token
NO_SUCH_OBJECT = 100  # Meta's code, also for a field that this kind of object lacks

KINDS = "whatsapp.gateway.check.kinds"


class WhatsappGatewayCheckKinds(models.AbstractModel):
    """The checks of a number: each asks, and returns a result; none writes."""

    _name = KINDS
    _description = "WhatsApp set-up checks: kinds"

    @api.model
    def _client(self, gateway):
        """Return a client of Meta that does not wait for long.

        :raise CloudApiError: a setting of the gateway cannot be used
        """
        return gateway._whatsapp_client().patient(PATIENCE)

    @api.model
    def _check_copy(self, context):
        is_off = context.gateway._whatsapp_is_cut_off()
        return CheckResult("copied" if is_off else "copy_connected")

    # ------------------------------------------------------------- Meta

    @api.model
    def _check_token(self, context):
        """Ask Meta what it knows of the token: also whether it will end."""
        token = context.gateway._whatsapp_secrets().token or ""
        if not token:
            return CheckResult("token_missing")
        if token.startswith(NEUTRALIZED):
            return CheckResult("token_neutralized")
        context.token = self._client(context.gateway).token_info()
        now = fields.Datetime.now().replace(tzinfo=UTC)
        return setup.check_token(context.token, int(now.timestamp()))

    @api.model
    def _check_account(self, context):
        account = context.gateway.whatsapp_account_id
        if not account:
            return CheckResult("account_missing")
        client = self._client(context.gateway)
        try:
            name = client.account(account).get("name")
            context.numbers = client.phone_numbers(account)
        except CloudApiError as error:
            if error.code != NO_SUCH_OBJECT:
                raise
            return self._wrong_account(context, client)
        granted = setup.granted_accounts(context.token)
        if granted and account not in granted:
            return CheckResult("account_not_granted", {"targets": granted})
        shown = [str(each.get("display_phone_number")) for each in context.numbers]
        return CheckResult(
            "account_ok", {"name": name or "?", "numbers": shown or ["-"]}
        )

    @api.model
    def _wrong_account(self, context, client):
        """Tell an ID of a number that stands in the place of the account's."""
        gateway = context.gateway
        if self._answers(client.phone_number, gateway.whatsapp_account_id):
            other = gateway.whatsapp_from_phone
            swapped = other and self._answers(client.phone_numbers, other)
            return CheckResult(
                "account_swapped" if swapped else "account_swapped_alone"
            )
        granted = setup.granted_accounts(context.token)
        if granted:
            return CheckResult("account_not_granted", {"targets": granted})
        return CheckResult("account_unknown")

    @api.model
    def _answers(self, ask, object_id):
        """Tell whether Meta answers a question that only one kind of object has."""
        try:
            ask(object_id)
        except CloudApiError as error:
            if error.code == NO_SUCH_OBJECT:
                return False
            raise
        return True

    @api.model
    def _check_number(self, context):
        number = (context.gateway.whatsapp_from_phone or "").strip()
        if not number:
            return CheckResult("number_missing")
        client = self._client(context.gateway)
        if not number.isdecimal():
            return setup.find_number(number, context.numbers)
        try:
            answer = self._ask_number(client, number)
        except CloudApiError as error:
            if error.code != NO_SUCH_OBJECT:
                raise
            return self._wrong_number(number, context, client)
        account = context.gateway.whatsapp_account_id
        return setup.check_number(answer, account, context.numbers)

    @api.model
    def _ask_number(self, client, number):
        """Return what Meta says of a number, with what not all versions know."""
        try:
            return client.phone_number(number, (*PHONE_NUMBER_FIELDS, COEXISTENCE))
        except CloudApiError as error:
            if error.code != NO_SUCH_OBJECT:
                raise
            return client.phone_number(number)

    @api.model
    def _wrong_number(self, number, context, client):
        """Tell an account's ID, or a phone number, in the place of a number's ID."""
        if self._answers(client.phone_numbers, number):
            account = context.gateway.whatsapp_account_id
            swapped = account and self._answers(client.phone_number, account)
            return CheckResult("number_swapped" if swapped else "number_swapped_alone")
        return setup.find_number(number, context.numbers)

    @api.model
    def _check_secret(self, context):
        """Prove the app secret before any delivery: the app itself may ask with it."""
        secrets = context.gateway._whatsapp_secrets()
        if not secrets.app_secret:
            return CheckResult("secret_missing")
        client = self._client(context.gateway)
        subscriptions = self._ask_as_app(client, context, secrets.app_secret)
        if subscriptions is not None:
            context.subscription = next(
                (each for each in subscriptions if each.object == setup.OBJECT), None
            )
            return CheckResult("secret_ok", {"app": context.app})
        other = secrets.verify_token or ""
        if setup.APP_SECRET.fullmatch(other):
            if self._ask_as_app(client, context, other) is not None:
                return CheckResult("secret_swapped")
        return CheckResult("secret_wrong", {"app": context.app})

    @api.model
    def _ask_as_app(self, client, context, secret):
        """Return the subscriptions of the app, or None if this is not its secret.

        Meta has several codes for a wrong secret, so the HTTP status decides.
        """
        try:
            return client.as_app(context.app_id, secret).subscriptions(context.app_id)
        except CloudApiError as error:
            wrong = error.status in (400, 401, 403) and error.kind != "throttled"
            if wrong or error.reason == "token":
                return None
            raise

    @api.model
    def _check_subscribed(self, context):
        gateway = context.gateway
        context.apps = self._client(gateway).subscribed_apps(
            gateway.whatsapp_account_id
        )
        ours = {gateway._whatsapp_webhook_url(), *gateway._whatsapp_siblings()}
        return setup.check_apps(context.apps, context.app_id, context.app, ours)

    @api.model
    def _check_webhook(self, context):
        gateway, subscription = context.gateway, context.subscription
        siblings = gateway._whatsapp_siblings()
        override = setup.override_of(context.apps, context.app_id)
        address = override or (subscription and subscription.callback_url)
        counts = siblings.get(address, gateway)
        return setup.check_webhook(
            subscription,
            context.app,
            gateway._whatsapp_webhook_url(),
            {url: sibling.name for url, sibling in siblings.items()},
            override,
            seen=counts.integrated_webhook_state == "integrated",
            refused=(gateway.whatsapp_unknown_fields or "").split(","),
        )

    # ------------------------------------------------------------- webhook

    @api.model
    def _check_address(self, context):
        secrets = context.gateway._whatsapp_secrets()
        if not secrets.webhook_key or not secrets.verify_token:
            return CheckResult("address_missing")
        # sudo: ir.config_parameter - where Odoo says that it is
        parameter = self.env["ir.config_parameter"].sudo().get_param
        graph = self.env["ir.config_parameter"]._whatsapp_value("graph_url")
        return probe.check_address(
            context.gateway._whatsapp_webhook_url(),
            frozen=bool(parameter("web.base.url.freeze")),
            simulated=probe.is_loopback(graph),
        )

    @api.model
    def _check_signature(self, context):
        gateway = context.gateway
        row = gateway.whatsapp_check_ids.filtered(lambda row: row.kind == "signature")
        # Events are purged; keep the date of the last accepted delivery.
        known = (row.values or {}).get("accepted_at")
        times = [
            gateway._whatsapp_accepted_at(),
            known and datetime.fromisoformat(known),
        ]
        return setup.check_signature(
            max(filter(None, times), default=None),
            gateway._whatsapp_is_refusing() and gateway.whatsapp_refused_at,
            gateway.whatsapp_secret_at,
            gateway.whatsapp_refused_reason,
        )

    # ------------------------------------------------------------- team

    @api.model
    def _check_templates(self, context):
        templates = self.env["mail.whatsapp.template"].search(
            [("gateway_id", "=", context.gateway.id), ("state", "!=", "deleted")]
        )
        approved = templates.filtered(lambda each: each.state == "approved")
        read_at = context.gateway.whatsapp_templates_at
        values = {
            "count": len(templates),
            "approved": len(approved),
            "read_at": read_at and fields.Datetime.to_string(read_at),
        }
        if not templates:
            return CheckResult("templates_none")
        if not approved:
            return CheckResult("templates_waiting", values)
        return CheckResult("templates_ok" if read_at else "templates_some", values)

    @api.model
    def _check_alerts(self, context):
        chosen = context.gateway.whatsapp_alert_user_ids.filtered("active")
        users = context.gateway._whatsapp_alerted()
        values = {"names": users.mapped("name")}
        if not chosen:
            return CheckResult("alerts_default", values)
        if not any(chosen.mapped("email")):
            return CheckResult("alerts_mute", values)
        return CheckResult("alerts_ok", values)

    # ------------------------------------------------------------- server

    @api.model
    def _check_worker(self, context):
        """Tell who works on what arrives; see ``_whatsapp_worker``."""
        gateway = context.gateway
        # sudo: res.users - administrators of numbers need not read users
        user, company = gateway.sudo().webhook_user_id, gateway.company_id
        values = {"name": user.name, "company": company.name}
        if not user:
            return CheckResult("worker_none")
        if gateway._whatsapp_worker() == user:
            return CheckResult("worker_ok", values)
        if not user.active:
            return CheckResult("worker_archived", values)
        return CheckResult(
            "worker_stranger" if user.share else "worker_elsewhere", values
        )

    @api.model
    def _check_crons(self, context):
        crons = self._crons()
        off = crons.filtered(lambda cron: not cron.active)
        if off:
            return CheckResult("crons_off", {"names": off.mapped("name")})
        since = fields.Datetime.now() - timedelta(minutes=OVERDUE)
        late = crons.filtered(lambda cron: cron.nextcall < since)
        if late:
            names = late.mapped("name")
            return CheckResult("crons_late", {"names": names, "minutes": OVERDUE})
        return CheckResult("crons_ok", {"count": len(crons)})

    @api.model
    def _cron_modules(self):
        """Return the modules whose scheduled actions must run. A hook."""
        return ["mail_gateway_whatsapp_queue"]

    @api.model
    def _crons(self):
        """Return the scheduled actions of these modules."""
        # sudo: ir.model.data and ir.cron - who looks need not be allowed to change them
        data = self.env["ir.model.data"].sudo()
        domain = [("module", "in", self._cron_modules()), ("model", "=", "ir.cron")]
        crons = self.env["ir.cron"].sudo().with_context(active_test=False)
        return crons.browse(data.search(domain).mapped("res_id")).exists()
