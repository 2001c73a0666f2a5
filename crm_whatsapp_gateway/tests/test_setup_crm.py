# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from datetime import timedelta

from odoo import fields

from .setup_common import SetupCase


class TestSetupCrm(SetupCase):
    """The checks that have to do with leads, among those of the number."""

    def test_they_stand_where_they_belong(self):
        order = list(self.env["whatsapp.gateway.check"]._checks())
        self.assertEqual(order[:3], ["copy", "older", "token"])
        at = order.index("salespeople")
        self.assertEqual(order[at - 1 : at + 2], ["templates", "salespeople", "alerts"])

    def test_a_change_of_who_gets_leads_makes_the_old_result_worthless(self):
        self.gateway.action_whatsapp_test()
        self.gateway.whatsapp_employee_ids = self.employees[:1]
        self.assertEqual(self.row("salespeople").outcome, "changed")
        self.assertEqual(self.row("templates").state, "ok")
        self.assertFine("salespeople")

    def test_salespeople(self):
        self.assertCheck("salespeople", "people_ok", "ok", "sofia", "tomas")
        leave = {
            "name": "Away",
            "date_from": fields.Datetime.now() - timedelta(days=1),
            "date_to": fields.Datetime.now() + timedelta(days=1),
        }
        away = self.env["resource.calendar.leaves"].create(
            [{**leave, "resource_id": e.resource_id.id} for e in self.employees]
        )
        row = self.assertCheck("salespeople", "people_away", "warning", "sofia")
        self.assertEqual(row.action_fix()["res_model"], "whatsapp.agent")
        away.unlink()
        self.gateway.whatsapp_only_working_hours = True
        calendar = self.employees.resource_id.calendar_id
        calendar.attendance_ids.unlink()
        self.assertCheck("salespeople", "people_later", "ok", "nobody's hour")
        self.employees.whatsapp_agent = False
        row = self.assertCheck("salespeople", "people_nobody", "bad", "Nobody")
        self.assertTrue(row.can_fix)
        self.gateway.whatsapp_only_working_hours = False
        self.employees.whatsapp_agent = True
        self.assertFine("salespeople")

    def test_the_older_module_is_told_of_while_it_is_there(self):
        older = self.env["ir.module.module"].create(
            {"name": "crm_import_leads", "state": "installed"}
        )
        self.gateway.action_whatsapp_test()
        row = self.row("older")
        self.assertEqual(row.state, "warning")
        self.assertIn("uninstall it under Apps", row.advice)
        older.state = "uninstalled"
        self.gateway.action_whatsapp_test()
        self.assertFalse(self.row("older"))
