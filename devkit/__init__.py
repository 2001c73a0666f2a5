# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Tools for developing the addon: provisioning, simulator, demo, tests.

Never ships, and imports neither the addon nor Odoo: it talks to Odoo over HTTP
and through Odoo's own command line.
"""
