# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import secrets

from odoo import api, models

from ..tools import setup
from ..tools.errors import CloudApiError
from ..tools.setup import CheckResult
from .mail_gateway_secrets import SECRET_FIELDS

FIXES = "whatsapp.gateway.check.fixes"


class WhatsappGatewayCheckFixes(models.AbstractModel):
    """What Odoo fixes itself: ``_fix_<fix>``, called by ``action_fix``.

    Each returns an action with which a person goes on, or checks again.
    """

    _name = FIXES
    _description = "WhatsApp set-up checks: fixes"

    def _check_again(self):
        """Make the check again, and those that the fix concerns as well."""
        recheck = self._checks()[self.kind].recheck
        self.gateway_id._whatsapp_test(recheck or [self.kind])

    # ------------------------------------------------------------- in Odoo

    def _fix_connect_copy(self):
        self.gateway_id.action_whatsapp_connect_copy()
        self._check_again()

    def _fix_disconnect_copy(self):
        self.gateway_id.action_whatsapp_disconnect_copy()
        self._check_again()

    def _fix_keys(self):
        known = self.gateway_id._whatsapp_secrets()
        missing = {
            name: value
            for name, value in self.gateway_id._whatsapp_new_keys().items()
            if not getattr(known, SECRET_FIELDS[name])
        }
        self.gateway_id.write(missing)
        self._check_again()

    def _fix_freeze(self):
        # sudo: ir.config_parameter - an administrator has pressed the button
        parameters = self.env["ir.config_parameter"].sudo()
        parameters.set_param("web.base.url.freeze", "True")
        self._check_again()

    def _fix_swap_ids(self):
        gateway = self.gateway_id
        gateway.write(
            {
                "whatsapp_from_phone": gateway.whatsapp_account_id,
                "whatsapp_account_id": gateway.whatsapp_from_phone,
            }
        )
        self._check_again()

    def _fix_use_number(self):
        self.gateway_id.whatsapp_from_phone = self.values["right"]
        self._check_again()

    def _fix_swap_secrets(self):
        self.gateway_id.write(
            {
                "webhook_secret": self.gateway_id._whatsapp_secrets().verify_token,
                # what stood in its place is perhaps known to others
                "whatsapp_security_key": secrets.token_urlsafe(24),
            }
        )
        self._check_again()

    def _fix_worker(self):
        self.gateway_id.webhook_user_id = self.env.ref("base.user_root")
        self._check_again()

    def _fix_crons(self):
        self._crons().active = True
        self._check_again()

    # ------------------------------------------------------------- at Meta

    def _fix_templates(self):
        return self.gateway_id.button_import_whatsapp_template()

    def _fix_subscribe(self):
        """Let the account deliver to the app, at the app's address.

        :raise UserError: Meta refuses, with what a person can do
        """
        gateway = self.gateway_id
        try:
            self._client(gateway).subscribe_app(gateway.whatsapp_account_id)
        except CloudApiError as error:
            raise gateway._whatsapp_refused(error) from error
        self._check_again()

    def _fix_webhook(self):
        """Set up the webhook at Meta: address, verify token and fields.

        Another address than the one that the person saw is not replaced. While Meta is
        asked it verifies ours, in a transaction that must already see it as awaited.
        """
        gateway = self.gateway_id
        seen = dict(self.values or {}), self.outcome
        context = self._run(gateway, ["subscribed", "webhook"])
        result = context.results["webhook"]
        outcome = self._outcome(result.outcome)
        if not outcome.fix or (
            outcome.asks and (result.values, result.outcome) != seen
        ):
            self._keep(gateway, context.results)
            return
        known = context.subscription
        siblings = gateway._whatsapp_siblings()
        target = siblings.get(known and known.callback_url, gateway)
        self._await_meta(target)
        try:
            refused = self._subscribe(context, target)
        except CloudApiError as error:
            result = self._refusal(error, gateway)
            if result.outcome == "refused":
                result = CheckResult("webhook_unreached", result.values)

            def keep(fresh):
                fresh.env[self._name]._keep(fresh, {"webhook": result})

            gateway._whatsapp_afresh(keep)
        else:

            def test(fresh):
                fresh.whatsapp_unknown_fields = ",".join(refused)
                fresh._whatsapp_test(["webhook"])

            gateway._whatsapp_afresh(test)

    @api.model
    def _subscribe(self, context, target):
        """Ask Meta for all fields, and again without those that it does not know.

        :param context: ``CheckContext``, with what was found before
        :param target: the gateway to whose address Meta is to deliver
        :return: list of the fields that Meta does not know
        :raise CloudApiError: Meta refuses for another reason
        """
        gateway, known = context.gateway, context.subscription
        secret = gateway._whatsapp_secrets().app_secret
        client = self._client(gateway).as_app(context.app_id, secret)
        wanted, refused = self._wanted_fields(known), []
        while True:
            try:
                client.subscribe(
                    context.app_id,
                    setup.OBJECT,
                    target._whatsapp_webhook_url(),
                    target._whatsapp_secrets().verify_token,
                    wanted,
                )
                return refused
            except CloudApiError as error:
                before = known.fields if known else ()
                unknown = setup.refused_fields(error, wanted, before)
                if not unknown:
                    raise
                refused += unknown
                wanted = [name for name in wanted if name not in unknown]

    @api.model
    def _wanted_fields(self, known):
        """Return what Meta is to tell of; nothing is taken away from others."""
        before = known.fields if known else ()
        return sorted(
            {*before, *setup.FIELDS, *setup.FIELDS_BESIDES, *setup.FIELDS_OF_PHONES}
        )

    @api.model
    def _await_meta(self, gateway):
        """Let the webhook take a verification, in this process and in all others."""
        if gateway.integrated_webhook_state:
            return
        gateway._whatsapp_afresh(lambda fresh: fresh.set_webhook())
        self.env.registry.signal_changes()
