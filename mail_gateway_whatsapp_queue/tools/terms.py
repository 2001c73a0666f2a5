# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The mark of words that people read; the models translate them."""


def _(source):
    """The source itself: its name lets Odoo's extractor see it.

    >>> _("🎵 Audio")
    '🎵 Audio'
    """
    return source
