# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging
from contextlib import nullcontext

import psycopg2
from markupsafe import Markup

from odoo import api, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from .. import compat
from ..queue.locks import automation_run, remembered
from .whatsapp_along import ALONG

_logger = logging.getLogger(__name__)

RULE_FAILED = "mail_gateway_whatsapp_queue.mail_activity_type_rule"


class BaseAutomation(models.Model):
    """Keeps a rule that fails from stopping messages; see ``queue.locks``."""

    _name = "base.automation"
    _inherit = ["base.automation", ALONG]

    def _get_actions(self, records, triggers):
        """Look for the rules of a model once in work of ours, which writes many."""
        if not automation_run(self.env.cr):
            return super()._get_actions(records, triggers)
        known = remembered(self.env.cr, "rules")
        asked = (records._name, *triggers)
        if asked not in known:
            known[asked] = super()._get_actions(records, triggers).ids
            compat.cache_model(self.env, records._name)
        # each call has a note of its own of what was done
        done = {"__action_done": {}, **self.env.context}
        return self.with_context(**done).browse(known[asked])

    def _update_registry(self):
        """Look for rules anew."""
        remembered(self.env.cr, "rules").clear()
        return super()._update_registry()

    def _process(self, records, domain_post=None):
        """In work of ours, undo what a failing rule did, and go on."""
        run = automation_run(self.env.cr)
        if not run:
            return super()._process(records, domain_post=domain_post)
        # flushes what was written before: an error of that is none of the rule's
        alone = self.env.cr.savepoint() if run.isolated else nullcontext()
        try:
            with alone:
                return super()._process(records, domain_post=domain_post)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:  # the transaction is repeated
            raise
        except Exception as error:
            self._whatsapp_note_failure(run, error)
            if not run.isolated:
                raise
        return None

    def _filter_pre(self, records, feedback=False):
        """In work of ours, a condition that fails is met by nothing."""
        return self._whatsapp_filter(
            super()._filter_pre, records, records.browse(), feedback
        )

    def _filter_post_export_domain(self, records, feedback=False):
        """In work of ours, a condition that fails is met by nothing."""
        return self._whatsapp_filter(
            super()._filter_post_export_domain,
            records,
            (records.browse(), None),
            feedback,
        )

    def _whatsapp_filter(self, filter_records, records, nothing, feedback):
        run = automation_run(self.env.cr)
        if not run:
            return filter_records(records, feedback=feedback)
        try:
            return filter_records(records, feedback=feedback)
        except psycopg2.Error:  # the transaction is lost
            raise
        except Exception as error:
            self._whatsapp_note_failure(run, error)
            if not run.isolated:
                raise
            return nothing

    def _whatsapp_note_failure(self, run, error):
        """Keep which rule failed; its words may be a customer's."""
        name = type(error).__name__
        if run.isolated and self.id not in run.failed:
            _logger.error(
                "automation rule %s failed and was left out: %s", self.id, name
            )
        run.failed[self.id] = name

    # ------------------------------------------------------------- telling

    @api.model
    def _whatsapp_report(self, failed):
        """Ask whoever is alerted to look at rules that failed: once for each rule.

        :param dict failed: id of the rule -> class of the error
        """
        rules = self.browse(failed).exists()
        gateways = self.env["mail.gateway"].search(
            [("gateway_type", "=", "whatsapp")], order="id"
        )
        if not gateways:
            return
        open_ones = self.env["mail.activity"].search(
            [("whatsapp_automation_id", "in", rules.ids)]
        )
        for rule in rules - open_ones.whatsapp_automation_id:
            for user in gateways._whatsapp_alerted():
                gateway = next(
                    (one for one in gateways if one._whatsapp_may_be_notified(user)),
                    gateways[:1],
                )
                rule.with_context(lang=user.lang)._whatsapp_notify(
                    gateway, user, failed[rule.id]
                )

    def _whatsapp_notify(self, gateway, user, error_class):
        self.ensure_one()
        gateway.activity_schedule(
            RULE_FAILED,
            summary=self.env._("Automation rule '%s' fails", self.name),
            note=Markup("<p>%s</p><p>%s</p>")
            % (
                self.env._(
                    "The automation rule '%(rule)s' failed with the error %(error)s"
                    " while Odoo worked on WhatsApp messages. The messages are shown"
                    " all the same; what the rule would have done was left out.",
                    rule=self.name,
                    error=error_class,
                ),
                self.env._(
                    "Please correct the rule, or archive it, and mark this activity"
                    " as done. Until then you are not told again."
                ),
            ),
            user_id=user.id,
            whatsapp_automation_id=self.id,
        )
