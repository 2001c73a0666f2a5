/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const PATIENCE = 60000; // milliseconds for what the server has to answer first
const BUTTON = "button.o-mail-Chatter-whatsapp";
const DIALOG = ".modal .o_form_view";
const PREVIEW = `${DIALOG} .o_whatsapp_preview`;
const NOTE = ".o-mail-Chatter .o-mail-Message";

const OPEN = {
    content: "The chatter has the button",
    trigger: `${BUTTON}:not(:disabled)`,
    run: "click",
    timeout: PATIENCE,
};

tours.add("mail_gateway_whatsapp_queue.document_text", {
    steps: () => [
        OPEN,
        {
            content: "To whom it goes, from the number that the customer wrote to",
            trigger: `${DIALOG} [name='recipient_name']:contains('+52 55 1234 5678')`,
            timeout: PATIENCE,
        },
        {trigger: `${DIALOG} [name='gateway_id']:contains('Sales')`},
        {trigger: `${PREVIEW}:contains('Offer for Ana Pérez.pdf')`},
        {
            trigger: `${DIALOG} [name='body'] textarea`,
            run: "edit Here it is && press Tab",
        },
        {trigger: `${PREVIEW}:contains('Here it is')`},
        {trigger: ".modal button[name='action_send']", run: "click"},
        {
            content: "The document shows it, and that it waits to be sent",
            trigger: `${NOTE}:contains('Here it is') .o-mail-Message-notification .fa-clock-o`,
            timeout: PATIENCE,
        },
    ],
});

tours.add("mail_gateway_whatsapp_queue.document_template", {
    steps: () => [
        {
            trigger: ".o_control_panel .o_cp_action_menus button:has(.fa-cog)",
            run: "click",
            timeout: PATIENCE,
        },
        {
            trigger: ".o-dropdown-item:has(.fa-whatsapp)",
            run: "click",
        },
        {
            content: "The template with a document is chosen",
            trigger: `${DIALOG} .o_whatsapp_chosen:contains('Offer')`,
            timeout: PATIENCE,
        },
        {trigger: `${PREVIEW}:contains('Offer for Ana Pérez.pdf')`},
        {trigger: `${PREVIEW}:contains('Hello Ana')`},
        {
            trigger: `${DIALOG} .o_whatsapp_values input`,
            run: "edit Anita",
        },
        {trigger: `${PREVIEW}:contains('Hello Anita')`},
        {trigger: ".modal button[name='action_send']", run: "click"},
        {
            trigger: `${NOTE}:contains('Hello Anita') .o-mail-Message-notification`,
            timeout: PATIENCE,
        },
    ],
});

tours.add("mail_gateway_whatsapp_queue.document_many", {
    steps: () => [
        {
            trigger: ".o_list_view thead .o_list_record_selector input",
            run: "click",
            timeout: PATIENCE,
        },
        {
            trigger: ".o_control_panel .o_cp_action_menus button:has(.fa-cog)",
            run: "click",
        },
        {
            trigger: ".o-dropdown-item:has(.fa-whatsapp)",
            run: "click",
        },
        {
            content: "Who gets nothing is said before, and why",
            trigger: `${DIALOG} .o_whatsapp_refused:contains('Customer 1')`,
            timeout: PATIENCE,
        },
        {trigger: `${DIALOG} [name='sendable']:contains('5')`},
        {trigger: `${PREVIEW}:contains('Offer for Customer 0.pdf')`},
        {trigger: ".modal button[name='action_send']", run: "click"},
        {
            content: "The batch shows how far it is",
            trigger:
                ".o_form_view [name='line_ids'] .o_data_row:contains('Customer 1')",
            timeout: PATIENCE,
        },
        {trigger: ".o_form_view [name='progress'] .o_progressbar"},
    ],
});
