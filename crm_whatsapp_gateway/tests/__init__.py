# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
from . import (
    test_access,
    test_answers,
    test_assignment,
    test_chat,
    test_duty,
    test_failures,
    test_greetings,
    test_hooks,
    test_inbound,
    test_inbox,
    test_leads,
    test_outbound,
    test_payloads,
    test_report,
    test_report_tours,
    test_sending_truth,
    test_templates,
    test_tours,
    test_translation,
    test_webhook,
)
