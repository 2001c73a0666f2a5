/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const PANEL = ".o-whatsapp-LeadPanel";
const LABELS = `${PANEL} .o-whatsapp-labels`;

tours.add("crm_whatsapp_gateway.hand_over_many", {
    steps: () => [
        {trigger: "button.o_switch_view.o_list", run: "click"},
        {trigger: ".o_data_row:contains('Eva Gil')"},
        {trigger: "thead .o_list_record_selector input", run: "click"},
        {
            content: "What is offered closes, snoozes, hands over, and never archives",
            trigger: ".o_control_panel button[name='action_choose_hand_over']",
            run: "click",
        },
        {
            content: "The dialog says how many were chosen",
            trigger: ".modal .alert:contains('Chosen conversations: 2')",
        },
        {
            trigger: ".modal .o_field_widget[name='user_id'] label:contains('tomas')",
            run: "click",
        },
        {trigger: ".modal button[name='action_hand_over']", run: "click"},
        {trigger: ".o_notification:contains('tomas'):contains('2')"},
        {
            content: "They have left the list",
            trigger: ".o_list_view:not(:has(.o_data_row:contains('Eva Gil')))",
        },
    ],
});

tours.add("crm_whatsapp_gateway.labels", {
    steps: () => [
        {trigger: ".o_kanban_record:contains('Ana Pérez')", run: "click"},
        {trigger: ".o_whatsapp_chat .o-mail-Message:contains('How much is it?')"},
        {trigger: ".o_whatsapp_chat button[name='whatsapp-lead']", run: "click"},
        {
            content: "A label is made by its name",
            trigger: `${LABELS} input`,
            run: "edit Guarantee && press Enter",
        },
        {trigger: `${LABELS} .o_tag:contains('Guarantee')`},
        {
            content: "The card has it at once",
            trigger:
                ".o_kanban_record:contains('Ana Pérez') .o_tag:contains('Guarantee')",
        },
        {
            content: "It is a filter of the inbox",
            trigger: ".o_searchview_input",
            run: "edit Guarantee",
        },
        {
            trigger: ".o_searchview_autocomplete .dropdown-item:contains('Labels')",
            run: "click",
        },
        {trigger: ".o_searchview_facet:contains('Labels'):contains('Guarantee')"},
        {
            trigger:
                ".o_kanban_record:contains('Ana Pérez') .o_tag:contains('Guarantee')",
        },
        {trigger: ".o_kanban_renderer:not(:has(.o_kanban_record:contains('Eva')))"},
        {
            trigger: ".o_searchview_facet:contains('Guarantee') .o_facet_remove",
            run: "click",
        },
        {trigger: ".o_kanban_record:contains('Eva')"},
        {
            content: "It is taken away as easily",
            trigger: `${LABELS} .o_tag:contains('Guarantee') button`,
            run: "click",
        },
        {trigger: `${LABELS}:not(:has(.o_tag))`},
    ],
});
