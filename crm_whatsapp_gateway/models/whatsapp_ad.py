# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import ValidationError

MODULE = "crm_whatsapp_gateway"


class WhatsappAd(models.Model):
    """An ad or post of Meta that brought customers, and what it counts as.

    Known by Meta's id. Made when the first customer comes from it; whoever runs
    the campaigns may make it before, or correct it afterwards.
    """

    _name = "whatsapp.ad"
    _description = "Click-to-WhatsApp ad"
    _order = "id desc"

    name = fields.Char(required=True, help="The headline that the customer saw.")
    ad_id = fields.Char(
        string="Ad ID",
        required=True,
        copy=False,
        help="Meta's id of the ad or post, as the ads manager shows it.",
    )
    url = fields.Char(string="Link")
    campaign_id = fields.Many2one("utm.campaign", ondelete="restrict")
    source_id = fields.Many2one("utm.source", ondelete="restrict")
    medium_id = fields.Many2one("utm.medium", ondelete="restrict")
    lead_ids = fields.One2many("crm.lead", "whatsapp_ad_id", string="Leads")
    lead_count = fields.Integer(string="Number of leads", compute="_compute_lead_count")

    company_id = fields.Many2one(
        "res.company",
        index="btree_not_null",
        default=lambda self: self.env.company,
        help="Whose ad it is; empty: of all companies.",
    )

    def init(self):
        """Keep one row of an ad in each company, and one that all share."""
        self.env.cr.execute(
            """
            ALTER TABLE whatsapp_ad DROP CONSTRAINT IF EXISTS whatsapp_ad_ad_id_uniq;
            CREATE UNIQUE INDEX IF NOT EXISTS whatsapp_ad_company_uniq
                ON whatsapp_ad (ad_id, COALESCE(company_id, 0));
            """
        )
        return super().init()

    def _init_column(self, column_name):
        """Leave the ads of before to all companies."""
        if column_name == "company_id":
            return None
        return super()._init_column(column_name)

    @api.model_create_multi
    def create(self, vals_list):
        """Say of a row that is there already what is wrong with it."""
        try:
            with self.env.cr.savepoint():
                ads = super().create(vals_list)
                self.env.flush_all()
                return ads
        except UniqueViolation as error:
            raise self._taken() from error

    def write(self, vals):
        """Say of a row that is there already what is wrong with it."""
        if vals.keys().isdisjoint(("ad_id", "company_id")):
            return super().write(vals)
        try:
            with self.env.cr.savepoint():
                res = super().write(vals)
                self.flush_recordset()
                return res
        except UniqueViolation as error:
            raise self._taken() from error

    def _taken(self):
        return ValidationError(self.env._("This ad is in the list already."))

    @api.depends("lead_ids")
    def _compute_lead_count(self):
        counts = dict(
            self.env["crm.lead"]
            .with_context(active_test=False)
            ._read_group(
                [("whatsapp_ad_id", "in", self.ids)], ["whatsapp_ad_id"], ["__count"]
            )
        )
        for ad in self:
            ad.lead_count = counts.get(ad._origin, 0)

    @api.model
    def _of_referral(self, referral, company=None):
        """Return the ad of a click; a new one, with its campaign, if it is unknown.

        :param referral: ``tools.referral.Referral``
        :param company: ``res.company`` of the number; default: that of all
        :return: one ad, or none if Meta did not say which
        """
        if not referral.ad_id:
            return self.browse()
        company = company or self.env["res.company"]
        ad = self.search(
            [
                ("ad_id", "=", referral.ad_id),
                ("company_id", "in", (company.id, False)),
            ],
            order="company_id, id",  # the own one before that of all
            limit=1,
        )
        if ad:
            return ad
        # not by create(): of two first customers at once, one waits here and then
        # begins anew (a serialization error), instead of failing
        self.env.cr.execute(
            "INSERT INTO whatsapp_ad (ad_id, name, company_id, create_uid, create_date)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id",
            (
                referral.ad_id,
                referral.label,
                company.id or None,
                self.env.uid,
                self.env.cr.now(),
            ),
            log_exceptions=False,
        )
        ad = self.browse(self.env.cr.fetchone()[0])
        ad.write(
            {
                "url": referral.url,
                "campaign_id": self._campaign(referral).id,
                **self._whence(referral),
            }
        )
        return ad

    @api.model
    def _campaign(self, referral):
        """Return a new campaign, called like the ad; another's name gets its id."""
        campaigns = self.env["utm.campaign"]
        title = referral.label
        if campaigns.with_context(active_test=False).search_count(
            [("title", "=", title)], limit=1
        ):
            title = f"{title} ({referral.ad_id})"
        return campaigns.create({"title": title})

    @api.model
    def _whence(self, referral):
        """Return the values of source and medium for a click."""
        medium = "post" if referral.is_post else "ad"
        return {
            "source_id": self._utm("source", referral.platform).id,
            "medium_id": self._utm("medium", f"Click-to-WhatsApp {medium}").id,
        }

    @api.model
    def _utm(self, kind, name):
        """Return a source or medium of ours; made again if somebody removed it.

        :param str kind: 'source' or 'medium'
        :param str name: as in ``data/utm_source_data.xml``
        """
        model = f"utm.{kind}"
        known = self.env["ir.model.data"]._xmlid_to_res_id(
            f"{MODULE}.utm_{kind}_{name.rpartition(' ')[2].lower()}"
        )
        # Odoo forgets the XML id of what is removed
        return self.env[model].browse(known or []) or self.env[
            "utm.mixin"
        ]._find_or_create_record(model, name)

    @api.model
    def _attribution(self, referral, company=None):
        """Return what a lead that came by this click gets.

        :param referral: ``tools.referral.Referral``
        :param company: ``res.company`` of the number; default: that of all
        :return: dict of values of ``crm.lead``
        """
        ad = self._of_referral(referral, company)
        values = self._whence(referral)
        if ad:
            values.update(
                campaign_id=ad.campaign_id.id,
                source_id=ad.source_id.id or values["source_id"],
                medium_id=ad.medium_id.id or values["medium_id"],
            )
        return {
            **values,
            "whatsapp_ad_id": ad.id,
            "whatsapp_ctwa_clid": referral.click_id,
        }

    def action_open_leads(self):
        """Show the leads that this ad brought."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.name,
            "res_model": "crm.lead",
            "views": [(False, "list"), (False, "form")],
            "domain": [("whatsapp_ad_id", "=", self.id)],
            "context": {"active_test": False},
        }
