# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
import secrets

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..queue.locks import in_transaction
from ..tools.errors import CloudApiError
from .mail_gateway_secrets import SECRET_FIELDS, SECRETS

_logger = logging.getLogger(__name__)

SETUP = "whatsapp.gateway.setup"

# Secrets that several numbers may share -> the numbers that had the same before
SHARED = {
    "token": "whatsapp_token_sharer_ids",
    "webhook_secret": "whatsapp_secret_sharer_ids",
}


class WhatsappGatewaySetup(models.AbstractModel):
    """The set-up of a number; what is checked: ``whatsapp.gateway.check``.

    A part of ``mail.gateway``.
    """

    _name = SETUP
    _description = "Set-up of a WhatsApp number"

    def _whatsapp_touched(self, vals):
        """Return which checks a change makes outdated, and who shares what is replaced.

        :param dict vals: of ``write``, before it
        :return: function to be called after the write
        """
        checks = self.env["whatsapp.gateway.check"]
        kinds = checks._kinds_by_field()
        touched = {
            name: self.filtered(
                lambda gateway, name=name: gateway._whatsapp_changes(name, vals[name])
            )
            for name in kinds
            if name in vals
        }
        shared = {
            name: touched[name]._whatsapp_sharing(name)
            for name in SHARED
            if touched.get(name)
        }

        def after():
            for name, sharers in shared.items():
                touched[name]._whatsapp_remember_sharers(name, sharers)
            if "gateway_type" in vals:
                checks._make(self)
            for name, gateways in touched.items():
                # sudo: whatsapp.gateway.check - whatever changes the gateway
                rows = gateways.sudo().whatsapp_check_ids
                rows.filtered(lambda row, name=name: row.kind in kinds[name])._forget()
            if touched.get("webhook_secret"):
                touched["webhook_secret"].whatsapp_secret_at = fields.Datetime.now()

        return after

    def _whatsapp_changes(self, name, value):
        """Tell whether a field gets another value; what has many counts as changed."""
        if name in SECRET_FIELDS:
            before = getattr(self._whatsapp_secrets(), SECRET_FIELDS[name])
            return (before or "") != (value or "")
        field = self._fields[name]
        if field.type == "many2many":
            return True
        return field.convert_to_write(self[name], self) != value

    # ------------------------------------------------------------- shared secrets

    def _whatsapp_sharing(self, name):
        """Return which other numbers of the company have the same token or app secret.

        Compared by the database: what is a secret stays out of the cache.

        :param str name: key of SHARED
        :return: dict of the id of each of these gateways -> list of ids
        """
        column = SQL.identifier(name)
        self.flush_model(["active", "company_id", "gateway_type", name])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT mine.id, array_agg(other.id)
                  FROM mail_gateway mine
                  JOIN mail_gateway other
                    ON other.%(column)s = mine.%(column)s
                   AND other.company_id IS NOT DISTINCT FROM mine.company_id
                   AND other.gateway_type = mine.gateway_type
                 WHERE mine.id = ANY(%(ids)s)
                   AND mine.gateway_type = 'whatsapp'
                   AND mine.%(column)s <> ''
                   AND other.active
                   AND other.id <> ALL(%(ids)s)
              GROUP BY mine.id
                """,
                column=column,
                ids=self.ids,
            )
        )
        return dict(rows)

    def _whatsapp_remember_sharers(self, name, sharers):
        """Keep which numbers have what these had before; these have a new one.

        :param dict sharers: see ``_whatsapp_sharing``
        """
        # sudo: mail.gateway - whoever may write the secret
        gateways, field = self.sudo(), SHARED[name]
        gateways.search([(field, "in", self.ids)]).write(
            {field: [Command.unlink(gateway.id) for gateway in self]}
        )
        same = self._whatsapp_sharing(name)
        for gateway in gateways:
            commands = [
                *map(Command.link, sharers.get(gateway.id, [])),
                *map(Command.unlink, same.get(gateway.id, [])),
            ]
            if commands:
                gateway.write({field: commands})

    def action_whatsapp_share(self):
        """Put the new token, or app secret, where the old one still is.

        :raise AccessError: only administrators handle secrets
        """
        self.ensure_one()
        self._whatsapp_check_handles_secrets()
        secrets = self._whatsapp_secrets()
        for name, field in SHARED.items():
            value, sharers = getattr(secrets, SECRET_FIELDS[name]), self[field]
            if value and sharers:
                sharers.write({name: value})

    def action_whatsapp_keep_apart(self):
        """Leave the other numbers what they have.

        :raise AccessError: only administrators handle secrets
        """
        self._whatsapp_check_handles_secrets()
        self.write({field: [Command.clear()] for field in SHARED.values()})

    def _whatsapp_check_handles_secrets(self):
        self.check_access("write")
        if not (self.env.su or self.env.user.has_group(SECRETS)):
            raise AccessError(self.env._("Only administrators handle secrets."))

    @api.model
    def _whatsapp_new_keys(self):
        """Return a new part of an address and a new verify token, hard to guess."""
        return {
            "webhook_key": secrets.token_urlsafe(24),
            "whatsapp_security_key": secrets.token_urlsafe(24),
        }

    # ------------------------------------------------------------- test

    def action_whatsapp_test(self):
        """Test everything.

        :raise AccessError: only who may change the gateway tests it
        """
        self.ensure_one()
        self._whatsapp_test()

    def _whatsapp_test(self, kinds=None):
        """Test, keep what was found, and close what was told and is well again.

        :param kinds: iterable of kinds of checks; None: all
        :raise AccessError: only who may change the gateway tests it
        """
        self.check_access("write")
        checks = self.env["whatsapp.gateway.check"]
        checks._keep(self, checks._run(self, kinds).results)

    def _whatsapp_afresh(self, work):
        """Do something in a transaction that sees what others wrote meanwhile."""
        in_transaction(
            self.env.registry, lambda env: work(env[self._name].browse(self.id))
        )
        self.env.invalidate_all()

    def _whatsapp_siblings(self):
        """Return the other gateways of the same Meta app, by address."""
        siblings = self._whatsapp_same_app() - self
        return {
            sibling._whatsapp_webhook_url(): sibling
            for sibling in siblings
            if sibling._whatsapp_secrets().webhook_key
        }

    def _whatsapp_accepted_at(self):
        """Return when the last delivery for these numbers was accepted, or False."""
        events = self.env["whatsapp.webhook.event"].search(
            [("gateway_id", "in", self.ids)], order="id desc", limit=1
        )
        return events.create_date

    def _whatsapp_is_refusing(self):
        """Tell whether no delivery of the app was accepted since the last refusal.

        All of its numbers are signed with one secret.
        """
        refused = self.whatsapp_refused_at
        accepted = refused and self._whatsapp_same_app()._whatsapp_accepted_at()
        return bool(refused and not (accepted and accepted > refused))

    # ------------------------------------------------------------- daily

    @api.model
    def _cron_whatsapp_setup(self):
        """Test every number that is connected; tell what got worse."""
        gateways = self.search([("gateway_type", "=", "whatsapp")])
        for gateway in gateways:
            # Meta verifies one address for all numbers of an app
            app = gateway._whatsapp_same_app()
            if not any(app.mapped("integrated_webhook_state")):
                continue
            try:
                gateway._whatsapp_test_daily()
            except Exception:  # one number must not keep the others waiting
                _logger.exception("gateway %s could not be tested", gateway.id)
        gateways._whatsapp_read_templates()

    def _whatsapp_read_templates(self):
        """Read the templates anew: each account is asked once.

        Only of numbers whose templates somebody read before.
        """
        numbers = self.filtered(
            lambda gateway: gateway.active and gateway.whatsapp_account_id
        )
        read = self.env["mail.whatsapp.template"].with_context(active_test=False)
        read = read.search(
            [("gateway_id", "in", numbers.ids), ("template_uid", "!=", False)]
        ).gateway_id
        for account, gateways in numbers.grouped("whatsapp_account_id").items():
            gateways = gateways.filtered(
                lambda gateway: gateway.whatsapp_templates_at or gateway in read
            )
            try:
                if gateways:
                    gateways._whatsapp_read_account(account)
            except Exception:  # nor must an account
                _logger.exception("templates of account %s could not be read", account)

    def _whatsapp_read_account(self, account):
        """Ask first, then write: see ``_whatsapp_test_daily``.

        :param str account: WhatsApp Business account ID, of all these numbers
        """
        for gateway in self:
            try:
                client = gateway._whatsapp_client()
                described = list(client.templates(account))
                break
            except CloudApiError as error:  # another number has a token of its own
                _logger.warning(
                    "gateway %s could not read its templates: %s", gateway.id, error
                )
        else:
            return
        for gateway in self:
            gateway._whatsapp_afresh(
                lambda number: number._whatsapp_take_templates(described)
            )

    def _whatsapp_take_templates(self, described):
        """Write what Meta says about all templates of the account.

        :param list described: see ``tools.cloud_api.CloudApi.templates``
        """
        self.env["mail.whatsapp.template"]._whatsapp_import(self, described)
        self.whatsapp_templates_at = fields.Datetime.now()

    def _whatsapp_test_daily(self):
        """Ask first, then write: nothing is locked while the network is slow."""
        results = self.env["whatsapp.gateway.check"]._run(self).results

        def keep(fresh):
            fresh.env["whatsapp.gateway.check"]._keep(fresh, results, daily=True)

        self._whatsapp_afresh(keep)

    # ------------------------------------------------------------- sending

    def _whatsapp_know_cause(self, code):
        """Return who was notified by a check of why nothing is sent.

        :param str code: of the entry of the error catalogue
        """
        return self.env["whatsapp.gateway.check"]._notified_of(self, code)

    def _whatsapp_note_sending(self):
        """Meta takes messages: what hinders that is fixed, whatever a check found."""
        for gateway in self:
            gateway.env["whatsapp.gateway.check"]._note_sending(gateway)
