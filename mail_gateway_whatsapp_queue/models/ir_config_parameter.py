# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import logging

from odoo import api, models
from odoo.exceptions import ValidationError

from ..tools import parameters

_logger = logging.getLogger(__name__)
_warned = set()  # (database, name, text) of what could not be used


class IrConfigParameter(models.Model):
    _inherit = "ir.config_parameter"

    @api.constrains("key", "value")
    def _check_whatsapp_value(self):
        """Refuse what could not be used, however it is written.

        :raise ValidationError: with what is allowed, and the default
        """
        for parameter in self:
            name = parameters.known(parameter.key)
            if name and not parameters.value(name, parameter.value or "")[1]:
                about = parameters.PARAMETERS[name]
                raise ValidationError(
                    self.env._(
                        "%(key)s cannot be '%(value)s'. It takes %(allowed)s. Without"
                        " this parameter it is %(default)s. What it is for: %(help)s",
                        key=parameter.key,
                        value=(parameter.value or "")[:100],
                        allowed=self.env._(about.allowed),
                        default=about.default,
                        help=self.env._(about.help),
                    )
                )

    @api.model
    def _whatsapp_value(self, name):
        """Return the value of a parameter of ours; never raises.

        What was stored before it was checked, or by SQL, and cannot be used counts as
        the default; the log says so once.

        :param str name: key of ``tools.parameters.PARAMETERS``
        """
        # sudo: ir.config_parameter - whoever causes the work may not read parameters
        text = self.sudo().get_param(parameters.PREFIX + name, None)
        value, usable = parameters.value(name, text)
        mark = (self.env.cr.dbname, name, text)
        if not usable and mark not in _warned:
            _warned.add(mark)
            _logger.warning(
                "%s%s cannot be used as it is stored: it takes %s; %s counts",
                parameters.PREFIX,
                name,
                parameters.PARAMETERS[name].allowed,
                parameters.PARAMETERS[name].default,
            )
        return value
