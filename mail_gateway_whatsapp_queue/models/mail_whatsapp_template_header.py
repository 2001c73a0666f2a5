# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .. import pictures
from ..tools import payloads, template

HEADER = "whatsapp.template.header"
DOCUMENT = "document"


class WhatsappTemplateHeader(models.AbstractModel):
    """The header of a template that is a file or a place.

    A part of ``mail.whatsapp.template``. Whoever sends one asks
    :meth:`_whatsapp_header_kind` what it needs, makes it from a record by
    :meth:`_whatsapp_header_of` or lets a person choose, and gives it to
    :meth:`_whatsapp_send`: one ``ir.attachment``, or a ``tools.template.Place``.
    """

    _name = HEADER
    _description = "Header of a WhatsApp template"

    whatsapp_header = fields.Selection(
        [
            ("image", "Picture"),
            ("video", "Video"),
            (DOCUMENT, "Document (PDF)"),
            (template.LOCATION, "Place on the map"),
        ],
        string="File or place in the header",
        help="What the customer sees above the text, if it is no text.",
    )
    whatsapp_report_id = fields.Many2one(
        "ir.actions.report",
        string="Report in the header",
        ondelete="restrict",
        domain="[('model', '=', model), ('report_type', '=', 'qweb-pdf')]",
        help="The document from which the template is sent is printed with it, and the"
        " PDF goes into the header. Only who may read the document sends it.",
    )
    whatsapp_file_ids = fields.Many2many(
        "ir.attachment",
        "whatsapp_template_attachment_rel",
        "template_id",
        "attachment_id",
        string="File in the header",
        help="The same file for all customers. Without one, and without a report, who"
        " sends the template chooses a file.",
    )
    whatsapp_sample_ids = fields.Many2many(
        "ir.attachment",
        "whatsapp_template_sample_rel",
        "template_id",
        "attachment_id",
        string="Sample for Meta",
        help="Who reviews the template at Meta sees it, no customer does. Without one"
        " it is the file in the header, and for a document an empty page. Please choose"
        " none with data of a customer.",
    )
    whatsapp_place_name = fields.Char(string="Name of the place")
    whatsapp_place_address = fields.Char(string="Address")
    # as text: a number with a point is another one where people write a comma
    whatsapp_coordinates = fields.Char(
        string="Latitude, longitude", help="As a map shows them: 19.4326, -99.1332"
    )

    @api.model_create_multi
    def create(self, vals_list):
        templates = super().create(vals_list)
        templates._whatsapp_own_files()
        return templates

    def write(self, vals):
        res = super().write(vals)
        if {"whatsapp_file_ids", "whatsapp_sample_ids"} & vals.keys():
            self._whatsapp_own_files()
        return res

    def _whatsapp_own_files(self):
        """Let who reads a template see its files."""
        for each in self:
            # sudo: ir.attachment - of a template that its user may write
            mine = each.sudo()
            (mine.whatsapp_file_ids | mine.whatsapp_sample_ids).filtered(
                lambda file, each=each: file.res_model == each._name and not file.res_id
            ).res_id = each.id

    @api.constrains("whatsapp_coordinates")
    def _whatsapp_check_coordinates(self):
        for each in self.filtered("whatsapp_coordinates"):
            try:
                place = each._whatsapp_place(each.whatsapp_coordinates, each.name, "")
                payloads.header_place(place.latitude, place.longitude, place.name)
            except UserError as error:
                raise ValidationError(error.args[0]) from error
            except payloads.NotSendable as error:
                refusal = self.env["mail.gateway.whatsapp"]._refusal(error)
                raise ValidationError(refusal.args[0]) from error

    @api.constrains("whatsapp_header", "whatsapp_report_id", "whatsapp_file_ids")
    def _whatsapp_check_header_file(self):
        # sudo: ir.actions.report, ir.attachment - of templates that were just written
        for each in self.sudo():
            files, report = each.whatsapp_file_ids, each.whatsapp_report_id
            if len(files) > 1:
                raise ValidationError(self.env._("A header has one file only."))
            if files and each.whatsapp_header in template.FILES:
                try:
                    each._whatsapp_check_header(files)
                except UserError as error:
                    raise ValidationError(error.args[0]) from error
            if report and report.model != each.model:
                raise ValidationError(
                    self.env._(
                        "The report %(report)s prints other documents than those of the"
                        " template %(template)s.",
                        report=report.name,
                        template=each.name,
                    )
                )

    def _whatsapp_header_kind(self):
        """Return what the header has to be given when this template is sent.

        :return: 'image', 'video' or 'document': an ``ir.attachment``; 'location': a
            ``tools.template.Place``; None: nothing, it is a text or there is none
        """
        self.ensure_one()
        return self.whatsapp_header or None

    def _whatsapp_header_source(self):
        """Return where the header comes from if nobody chooses one.

        :return: 'report', 'file', 'place', or None: a person has to choose
        """
        self.ensure_one()
        # sudo: ir.actions.report, ir.attachment - whether there is one
        mine = self.sudo()
        if self.whatsapp_header == DOCUMENT and mine.whatsapp_report_id:
            return "report"
        if self.whatsapp_header in template.FILES and mine.whatsapp_file_ids:
            return "file"
        if self.whatsapp_header == template.LOCATION and self.whatsapp_coordinates:
            return "place"
        return None

    def _whatsapp_header_of(self, record=None):
        """Make the header from a record: its report, or what the template keeps.

        A report is printed with the rights of this environment: its user may read the
        record and print with the report, or it is ``sudo()``.

        :param record: one record of the template's model, or none
        :return: ``ir.attachment`` that belongs to nobody yet (a report), the template's
            own (a file), ``tools.template.Place``, or None: it needs none, or a person
            has to choose
        :raise AccessError: the user may not read the record, or not print it
        :raise UserError: there is no record to print, or it cannot be printed
        """
        source = self._whatsapp_header_source()
        if source == "report":
            return self._whatsapp_print(record)
        if source == "file":
            # sudo: ir.attachment - its author chose what customers are shown
            return self.sudo().whatsapp_file_ids[:1]
        if source == "place":
            return self._whatsapp_place(
                self.whatsapp_coordinates,
                self.whatsapp_place_name,
                self.whatsapp_place_address,
            )
        return None

    @api.model
    def _whatsapp_place(self, coordinates, name, address):
        """Return the ``tools.template.Place`` that a person described.

        :raise UserError: the coordinates are none
        """
        try:
            return template.Place.at(coordinates, name or "", address or "")
        except payloads.NotSendable as error:
            raise self.env["mail.gateway.whatsapp"]._refusal(error) from error

    def _whatsapp_print(self, record):
        """Print a record as PDF, see :meth:`_whatsapp_header_of`."""
        # sudo: ir.actions.report - for administrators only; the user's rights follow
        report_sudo = self.sudo().whatsapp_report_id
        if not record or record._name != report_sudo.model:
            raise UserError(
                self.env._(
                    "The template %s prints a document, and there is none of that kind"
                    " here. Please send it from the document.",
                    self.name,
                )
            )
        return report_sudo.with_env(self.env)._whatsapp_print(record)

    def _whatsapp_report_name(self, record):
        """Return what the file is called that a record is printed to."""
        # sudo: ir.actions.report - for administrators only
        return self.sudo().whatsapp_report_id._whatsapp_file_name(record)

    def _whatsapp_header_preview(self, header, name=None):
        """Return what stands above the text for the customer, as Markup.

        :param header: ``ir.attachment`` or ``tools.template.Place``, or none yet
        :param str name: of a file that is made when it is sent
        """
        kind = self._whatsapp_header_kind()
        if not kind:
            return Markup()
        if kind == "image" and header:
            return Markup(
                '<img class="o_whatsapp_header o_whatsapp_picture" alt="%s"'
                ' src="/web/image/%s"/>'
            ) % (header.name, header.id)
        icons = {"image": "image", "video": "play-circle", DOCUMENT: "file-pdf-o"}
        kinds = dict(self._fields["whatsapp_header"]._description_selection(self.env))
        shown = Markup("<mark>%s</mark>") % kinds[kind]
        if isinstance(header, template.Place):
            address = Markup("<br/><small>%s</small>") % header.address
            shown = Markup("<strong>%s</strong>%s") % (header.name, address)
        elif header or name:
            shown = name or header.name
        return Markup(
            '<div class="o_whatsapp_header o_whatsapp_%s"><i class="fa fa-%s"></i>'
            "<span>%s</span></div>"
        ) % (kind, icons.get(kind, "map-marker"), shown)

    def _whatsapp_check_header(self, header):
        """Check a file or a place for the header, as soon as it is chosen.

        :param header: see :meth:`_whatsapp_send`
        :return: ``tools.template.File`` or ``Place``, None if the template needs none
        :raise AccessError: the user may not read the file
        :raise UserError: there is none, or Meta would not take it
        """
        kind = self._whatsapp_header_kind()
        if not kind:
            return None
        is_place = isinstance(header, template.Place)
        if kind == template.LOCATION and not header:
            raise UserError(
                self.env._(
                    "Please enter the name and the coordinates of the place that the"
                    " template shows."
                )
            )
        if not header or is_place != (kind == template.LOCATION):
            kinds = dict(
                self._fields["whatsapp_header"]._description_selection(self.env)
            )
            raise UserError(
                self.env._(
                    "The template %(name)s needs this in its header: %(kind)s.",
                    name=self.name,
                    kind=kinds[kind],
                )
            )
        service = self.env["mail.gateway.whatsapp"]
        try:
            if is_place:
                place = (header.latitude, header.longitude, header.name, header.address)
                payloads.header_place(*place)
                return header
            self._whatsapp_check_file(kind, header)
        except payloads.NotSendable as error:
            raise service._refusal(error) from error
        return template.File(kind, header.name or "")

    def _whatsapp_check_file(self, kind, attachment):
        """Raise ``NotSendable`` for a file that Meta takes in no header of a kind."""
        mimetype = payloads.sendable_type(attachment.mimetype, attachment.name)
        size = attachment.file_size
        if mimetype == pictures.WEBP and kind == "image":
            # it is made once more when it is sent, as other pictures are
            mimetype, size = pictures.JPEG, len(pictures.webp_to_jpeg(attachment.raw))
        payloads.check_header(kind, mimetype, size)
