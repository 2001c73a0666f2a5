# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from . import (
    test_alone,
    test_batch,
    test_composing,
    test_lookup,
    test_nobody_else,
    test_send_document,
    test_slots,
)
