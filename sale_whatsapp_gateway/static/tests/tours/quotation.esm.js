// Copyright 2026 crm_whatsapp_gateway contributors
// License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).

import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

tours.add("sale_whatsapp_gateway.send", {
    steps: () => [
        {
            content: "The quotation is sent from its header",
            trigger: ".o_statusbar_buttons button[name='action_whatsapp_send']",
            run: "click",
        },
        {
            content: "The template for quotations is chosen",
            trigger: ".modal .o_whatsapp_templates_option:contains('Quotation')",
            run: "click",
        },
        {
            content: "Its value is filled, and the PDF is there",
            trigger:
                ".modal .o_whatsapp_preview:contains('Your quotation S'):contains('.pdf')",
        },
        {
            trigger: ".modal button[name='action_send']",
            run: "click",
        },
        {
            content: "The quotation shows what was sent, and it is marked as sent",
            trigger: ".o-mail-Chatter .o-mail-Message:contains('Your quotation S')",
        },
        {
            trigger: ".o_arrow_button_current:contains('Quotation Sent')",
        },
    ],
});

tours.add("sale_whatsapp_gateway.answered", {
    steps: () => [
        {
            content: "The answer stands on the quotation",
            trigger: ".o-mail-Chatter .o-mail-Message-body:contains('Acepto')",
        },
        {
            content: "The salesperson is asked to go on",
            trigger: ".o-mail-Activity:contains('Accepted by WhatsApp')",
        },
    ],
});
