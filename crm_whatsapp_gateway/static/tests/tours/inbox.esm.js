/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const CARD = ".o-mail-Message:contains('Eva Gil')";
const SAVE_CONTACT = ".o-mail-Message-actions [name='whatsapp-save-contact']";

tours.add("crm_whatsapp_gateway.inbox", {
    steps: () => [
        {trigger: ".o_navbar_apps_menu button", run: "click"},
        {
            trigger: ".dropdown-item[data-menu-xmlid='crm.crm_menu_root']",
            run: "click",
        },
        {
            trigger: "[data-menu-xmlid='crm_whatsapp_gateway.menu_whatsapp']",
            run: "click",
        },
        {
            trigger: "[data-menu-xmlid='crm_whatsapp_gateway.menu_whatsapp_inbox']",
            run: "click",
        },
        {
            content: "The conversation is in the inbox",
            trigger: ".o_kanban_record:contains('Ana Pérez')",
            run: "click",
        },
        {
            content: "The chat shows what the customer wrote",
            trigger: ".o-mail-ChatWindow .o-mail-Message:contains('How much is it?')",
        },
        {
            content: "And what we answered, with its state",
            trigger:
                ".o-mail-ChatWindow .o-mail-Message:contains('It is 5 euros') .fa-clock-o",
        },
        {trigger: "button.o_switch_view.o_list", run: "click"},
        {
            content: "The list opens the form of the conversation",
            trigger: ".o_data_row .o_data_cell[name='name']:contains('Ana Pérez')",
            run: "click",
        },
        {trigger: "button[name='action_open_lead']", run: "click"},
        {
            content: "The lead has its button, and its chat stays open",
            trigger: ".o_form_view button[name='action_open_whatsapp']",
        },
        {trigger: ".o-mail-ChatWindow .o-mail-Message:contains('How much is it?')"},
    ],
});

tours.add("crm_whatsapp_gateway.discuss", {
    steps: () => [
        {
            content: "Discuss loads for a salesperson, with the messages",
            trigger: ".o-mail-Discuss .o-mail-Message:contains('How much is it?')",
        },
        {trigger: ".o-mail-Discuss button[title='Lead']", run: "click"},
        {
            trigger: ".o-whatsapp-LeadPanel button:contains('Open the lead')",
            run: "click",
        },
        {trigger: ".o_form_view button[name='action_open_whatsapp']"},
    ],
});

tours.add("crm_whatsapp_gateway.contact", {
    steps: () => [
        {
            content: "A message with a contact card offers to save it",
            trigger: CARD,
            timeout: 60000,
            // while the messages are loaded they are drawn anew, without the mouse
            async run(helpers) {
                for (let tries = 0; tries < 300; tries++) {
                    await helpers.hover(CARD);
                    await new Promise((resolve) => setTimeout(resolve, 100));
                    if (document.querySelector(SAVE_CONTACT)?.offsetParent) {
                        return helpers.click(SAVE_CONTACT);
                    }
                }
                throw new Error("the message has no button to save the contact");
            },
        },
        {trigger: ".modal .o_field_widget[name='name'] :value('Eva Gil')"},
        {trigger: ".modal .o_form_button_save", run: "click"},
        {trigger: "body:not(:has(.modal))"},
    ],
});

tours.add("crm_whatsapp_gateway.lead", {
    steps: () => [
        {
            content: "The lead names its twins and offers to merge them",
            trigger: ".alert:contains('further open leads') button:contains('Merge')",
        },
        {trigger: "a[name='whatsapp']", run: "click"},
        {
            content: "It says why it is this lead, and why this salesperson",
            trigger: ".o_field_widget[name='whatsapp_match_reason']:contains('Ana')",
        },
        {
            trigger:
                ".o_field_widget[name='whatsapp_assign_reason']:contains('without a turn')",
        },
        {
            content: "Its conversation has the last message, and opens over it",
            trigger:
                ".o_field_widget[name='whatsapp_channel_ids'] .o_data_row:contains('How much is it?') button[name='action_open_whatsapp']",
            run: "click",
        },
        {trigger: ".o-mail-ChatWindow .o-mail-Message:contains('How much is it?')"},
        {
            content: "The chat says how long free text is possible",
            trigger: ".o-mail-ChatWindow .o-whatsapp-Window:contains('Free text for')",
        },
        {trigger: ".o_form_view .o_field_widget[name='whatsapp_match_reason']"},
    ],
});

tours.add("crm_whatsapp_gateway.salespeople", {
    steps: () => [
        {
            content: "A colleague's switch cannot be moved",
            trigger:
                ".o_data_row:contains('tomas') .o_field_widget[name='receives'] input:disabled",
        },
        {
            trigger:
                ".o_data_row:contains('sofia') .o_field_widget[name='duty']:contains('On duty')",
        },
        {
            content: "The own one can",
            trigger:
                ".o_data_row:contains('sofia') .o_field_widget[name='receives'] input",
            run: "click",
        },
        {
            trigger:
                ".o_data_row:contains('sofia') .o_field_widget[name='duty']:contains('Switched off')",
        },
    ],
});

tours.add("crm_whatsapp_gateway.template", {
    steps: () => [
        {
            content: "Outside of the window there is no text field, but a template",
            trigger: ".o-mail-Discuss .o-whatsapp-Window:contains('only templates')",
        },
        {trigger: ".o-mail-Discuss .o-mail-Composer.o-whatsapp-closed:not(:visible)"},
        {trigger: ".o-whatsapp-Window button", run: "click"},
        {
            content:
                "The only template is chosen, and shown as the customer will see it",
            trigger: ".modal .o_whatsapp_preview:contains('Hello Ana Pérez')",
        },
        {trigger: ".modal button[name='action_send']", run: "click"},
        // the chat shows it by the bus, which a test does not have
        {trigger: "body:not(:has(.modal))"},
    ],
});

tours.add("crm_whatsapp_gateway.failed", {
    steps: () => [
        {
            content: "A message that was not sent is red",
            trigger: ".o-mail-Message:contains('Hello Ana') .fa-exclamation-circle",
            run: "click",
        },
        {
            content: "It says why",
            trigger: ".o_popover:contains('cannot be reached'):contains('Attempts: 1')",
        },
        {trigger: ".o_popover button:contains('Edit')", run: "click"},
        {
            trigger: ".modal .o_field_widget[name='body'] textarea",
            run: "edit Hello again",
        },
        {trigger: ".modal button[name='action_send']", run: "click"},
        {trigger: "body:not(:has(.modal))"},
    ],
});
