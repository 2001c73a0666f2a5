/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

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
        {trigger: ".o-mail-Message:contains('Eva Gil')", run: "hover"},
        {
            content: "A message with a contact card offers to save it",
            trigger: ".o-mail-Message-actions [name='whatsapp-save-contact']",
            run: "click",
        },
        {trigger: ".modal .o_field_widget[name='name'] :value('Eva Gil')"},
        {trigger: ".modal .o_form_button_save", run: "click"},
        {trigger: "body:not(:has(.modal))"},
    ],
});
