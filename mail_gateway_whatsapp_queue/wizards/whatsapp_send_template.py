# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from .. import compat
from ..tools import template_words
from ..tools.template import BUTTON, CODE, FILES, HEADER, LOCATION, Variable
from .whatsapp_dialog import DIALOG

SHOWN = 50  # templates in the dialog's list; a search finds the others
SNIPPET = 160  # letters of a template's text in the list


class WhatsappSendTemplate(models.TransientModel):
    """Choose a template, see what the customer will see, send it.

    Makes nothing before it sends: OCA's composer makes a conversation and a row of
    the contact when it is merely opened, and fails for a document without contact.
    """

    _name = "whatsapp.send.template"
    _inherit = DIALOG
    _description = "Send a WhatsApp template"

    _whatsapp_about = ("channel_id", "replaced_id")

    channel_id = fields.Many2one("discuss.channel", required=True, readonly=True)
    gateway_id = fields.Many2one(related="channel_id.gateway_id")
    template_id = fields.Many2one(
        "mail.whatsapp.template",
        required=True,
        domain="[('gateway_id', '=', gateway_id), ('state', '=', 'approved'),"
        " ('is_supported', '=', True)]",
    )
    category = fields.Selection(related="template_id.category")
    opt_out = fields.Boolean(related="channel_id.whatsapp_opt_out")
    line_ids = fields.One2many(
        "whatsapp.send.template.line",
        "wizard_id",
        string="Variables",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    header = fields.Selection(related="template_id.whatsapp_header")
    # what the header is made of unless a file is chosen, see _whatsapp_header_source
    header_source = fields.Char(compute="_compute_header_source")
    file_ids = fields.Many2many("ir.attachment", string="Choose a file")
    place_name = fields.Char(
        string="Name of the place", compute="_compute_place", store=True, readonly=False
    )
    place_address = fields.Char(
        string="Address", compute="_compute_place", store=True, readonly=False
    )
    coordinates = fields.Char(
        string="Latitude, longitude",
        compute="_compute_place",
        store=True,
        readonly=False,
        help="In Google Maps a right click on the place shows them, and a click on them"
        " copies them.",
    )
    replaced_id = fields.Many2one(
        "whatsapp.message.queue",
        readonly=True,
        help="The message that was not sent, in whose place this one is sent.",
    )
    preview = fields.Html(compute="_compute_preview", sanitize=False)

    @api.model
    def default_get(self, fields_list):
        """Choose the template if there is only one."""
        values = super().default_get(fields_list)
        channel = self.env["discuss.channel"].browse(values.get("channel_id"))
        if channel and "template_id" in fields_list and not values.get("template_id"):
            # sudo: discuss.channel - of which number it is, as in gateway_id
            gateway = channel.sudo().gateway_id
            found = self._templates(gateway).filtered("is_supported")
            if len(found) == 1:
                values["template_id"] = found.id
        return values

    @api.model
    def choices(self, channel_id, query=""):
        """Return the templates for a conversation, the most likely ones first.

        Those in the customer's language, of them what the user sent last, the rest by
        name; at the end what cannot be sent from here, with the reason.

        :param int channel_id: of the ``discuss.channel``
        :param str query: words of the name or the text, in any order
        :return: list of dicts, at most SHOWN
        :raise AccessError: the user may not send templates, or not see the conversation
        """
        self.check_access("create")
        channel = self.env["discuss.channel"].browse(channel_id)
        channel._whatsapp_check_person()
        # sudo: discuss.channel - the customer's language, whoever asks
        lang = channel.sudo()._whatsapp_customer_lang() or ""
        return self._choices(self._templates(channel.sudo().gateway_id), lang, query)

    def _choices(self, templates, lang, query="", model=None):
        """Return templates as :meth:`choices` does.

        :param templates: ``mail.whatsapp.template`` to choose from
        :param str lang: code of the customer's language, or ''
        :param str model: of the document that is sent: its templates come first
        """
        words = template_words.folded(query).split()

        def fits(each):
            text = each._whatsapp_searched()
            return all(word in text for word in words)

        found = templates.filtered(fits)
        used = self._last_used(found)

        def likelihood(each):
            name = each._whatsapp_readable_name()
            is_other = each.language != lang
            foreign = each._whatsapp_is_foreign(lang)
            why_not = each._whatsapp_why_not()
            # sudo: ir.model - what the template is about
            is_strange = bool(model) and each.sudo().model_id.model != model
            last = -used.get(each, 0)
            return bool(why_not), foreign, is_strange, last, name, is_other

        categories = dict(found._fields["category"]._description_selection(self.env))
        return [
            {
                "id": each.id,
                "name": each._whatsapp_readable_name(),
                "technical_name": each.template_name,
                "category": categories[each.category],
                "language": each._whatsapp_language(),
                "is_foreign": each._whatsapp_is_foreign(lang),
                "text": each.body[:SNIPPET],
                "why_not": each._whatsapp_why_not(),
            }
            for each in found.sorted(likelihood)[:SHOWN]
        ]

    def _templates(self, gateway):
        """Return the templates of a number, also those that cannot be sent from here.

        :param gateway: ``mail.gateway``
        """
        return self.env["mail.whatsapp.template"].search(
            [
                ("gateway_id", "=", gateway.id),
                ("state", "=", "approved"),
                "|",
                ("is_supported", "=", True),
                ("whatsapp_unsupported", "!=", False),
            ]
        )

    def _last_used(self, templates):
        """Return for each template that the user sent: a number, higher is later."""
        # sudo: whatsapp.message.queue - the user's own, wherever they went
        sent = self.env["whatsapp.message.queue"].sudo()
        own = [("template_id", "in", templates.ids), ("create_uid", "=", self.env.uid)]
        return {
            template.with_env(self.env): last
            for template, last in sent._read_group(own, ["template_id"], ["id:max"])
        }

    def onchange(self, values, field_names, fields_spec):
        """Show nothing of a file that its user may not read.

        :raise AccessError: there is one
        """
        files = self.new({"file_ids": values.get("file_ids") or []}).file_ids._origin
        compat.check_files(files.with_user(self.env.uid))
        return super().onchange(values, field_names, fields_spec)

    @api.constrains("file_ids")
    def _check_file_ids(self):
        """Take no file that its user may not read."""
        compat.check_files(self.file_ids.with_user(self.env.uid))

    @api.constrains("channel_id", "replaced_id")
    def _check_channel_id(self):
        """Show nothing of a conversation that its user may not see."""
        self.channel_id._whatsapp_check_person()
        self.replaced_id.with_user(self.env.uid).check_access("read")

    def _channel(self):
        """Return the conversation with all rights, if the user may read it.

        :raise AccessError: it is a colleague's conversation
        """
        channel = self.channel_id.with_user(self.env.uid)
        channel.check_access("read")
        # sudo: discuss.channel - whoever reads the conversation sees what it is about
        return channel.sudo()

    @api.depends("template_id")
    def _compute_line_ids(self):
        for wizard in self:
            template = wizard.template_id
            record, known = None, {}
            if template and wizard.channel_id:
                channel = wizard._channel()
                record = template._whatsapp_record(channel)
                known = channel._whatsapp_known_values()
            lines = template._whatsapp_variables() if template else []
            wizard.line_ids = [Command.clear()] + [
                Command.create(
                    {
                        "part": variable.part,
                        "name": variable.name,
                        "index": variable.index,
                        "value": template._whatsapp_default(variable, record)
                        or template._whatsapp_guess(variable, known),
                    }
                )
                for variable in lines
            ]

    @api.depends("template_id")
    def _compute_header_source(self):
        for wizard in self:
            template = wizard.template_id
            wizard.header_source = template and template._whatsapp_header_source()

    @api.depends("template_id")
    def _compute_place(self):
        for wizard in self:
            template = wizard.template_id
            wizard.place_name = template.whatsapp_place_name
            wizard.place_address = template.whatsapp_place_address
            wizard.coordinates = template.whatsapp_coordinates

    @api.onchange("file_ids", "template_id")
    def _onchange_file_ids(self):
        """Say at once that Meta would not take a file."""
        file = self.file_ids[-1:]._origin
        if not file or self.header not in FILES:
            self.file_ids = [Command.clear()]
            return None
        try:
            self.template_id._whatsapp_check_header(file)
        except UserError as error:
            self.file_ids = [Command.clear()]
            title = self.env._("This file cannot be sent")
            return {"warning": {"title": title, "message": error.args[0]}}
        self.file_ids = [Command.set(file.ids)]
        return None

    @api.depends(
        *("template_id", "line_ids.value", "file_ids"),
        *("place_name", "place_address", "coordinates"),
    )
    def _compute_preview(self):
        for wizard in self:
            template = wizard.template_id
            if not template:
                wizard.preview = False
                continue
            try:
                chosen, name = wizard._header(), None
            except UserError:  # of coordinates that are still being written
                chosen = name = None
            if not chosen and wizard.header_source == "file":
                chosen = template._whatsapp_header_of()
            elif not chosen and wizard.header_source == "report":
                name = wizard._report_name()
            wizard.preview = template._whatsapp_preview(wizard._values(), chosen, name)

    def _values(self):
        return {line._variable(): line.value or "" for line in self.line_ids}

    def _header(self):
        """Return the file or the place that was chosen, or None: the template's own.

        :raise UserError: coordinates that are none
        """
        if self.header == LOCATION:
            place = (self.coordinates, self.place_name, self.place_address)
            return self.template_id._whatsapp_place(*place) if place[0] else None
        return self.file_ids._origin[:1] if self.header in FILES else None

    def _report_name(self):
        """Return what the file will be called, to who may read what is printed."""
        record = self.template_id._whatsapp_record(self._channel())
        record = record.with_user(self.env.uid)
        if not record or not record.has_access("read"):
            return None
        return self.template_id._whatsapp_report_name(record)

    def action_send(self):
        """Send the template; the conversation shows it.

        :raise AccessError: the user may not read the document that is printed for it
        :raise UserError: an empty variable, no file or a wrong one, an opt-out, a
            template that was paused
        """
        self.ensure_one()
        self.channel_id.check_access("read")
        if not self.template_id:
            raise UserError(self.env._("Please choose a template."))
        channel, opened = self._recipient()
        self.template_id._whatsapp_send(channel, self._values(), self._header())
        if self.replaced_id:
            self.replaced_id.action_cancel()
        return opened or {"type": "ir.actions.act_window_close"}

    def _recipient(self):
        """Return the conversation to send to, and an action that opens it or None.

        A hook.
        """
        return self.channel_id, None


class WhatsappSendTemplateLine(models.TransientModel):
    _name = "whatsapp.send.template.line"
    _description = "Value of a WhatsApp template"
    _order = "id"

    wizard_id = fields.Many2one(
        "whatsapp.send.template", required=True, ondelete="cascade"
    )
    part = fields.Selection(
        [(HEADER, "Header"), ("body", "Text"), (BUTTON, "Link"), (CODE, "Code")],
        required=True,
    )
    name = fields.Char(string="Variable", required=True)
    index = fields.Integer()
    label = fields.Char(compute="_compute_label")
    value = fields.Char()

    @api.depends("wizard_id.template_id", "part", "name", "index")
    def _compute_label(self):
        for line in self:
            template = line.wizard_id.template_id
            variable = line._variable()
            is_known = template and variable in template._whatsapp_variables()
            line.label = is_known and template._whatsapp_words_around(variable)

    def _variable(self):
        return Variable(self.part, self.name, self.index)
