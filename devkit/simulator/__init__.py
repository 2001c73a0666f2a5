# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A stateful stand-in for Meta's WhatsApp Cloud API on a real port.

`server` starts it, `client` talks to its control door, `control` documents every
route of that door, and `faults` lists the ways in which it can misbehave.
"""
