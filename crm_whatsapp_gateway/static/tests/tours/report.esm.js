/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

tours.add("crm_whatsapp_gateway.attention", {
    steps: () => [
        {
            content: "What is late is counted, with who has it",
            trigger:
                ".o_kanban_record:contains('Late answers'):contains('1'):contains('sofia')",
        },
        {
            content: "What is in order has a tick",
            trigger: ".o_kanban_record:contains('Messages that failed') .fa-check",
        },
        {
            trigger: ".o_kanban_record:contains('Late answers')",
            run: "click",
        },
        {
            content: "The card opens the conversations that it counts",
            trigger: ".o_whatsapp_inbox .o_kanban_record:contains('Ana Pérez')",
        },
        {trigger: ".o_kanban_record:contains('Ana Pérez') .text-bg-danger"},
        {trigger: ".breadcrumb-item a, .o_back_button", run: "click"},
        {trigger: ".o_kanban_record:contains('Late answers')"},
    ],
});

tours.add("crm_whatsapp_gateway.report", {
    steps: () => [
        {
            content: "The pivot has the figures by salesperson",
            trigger: ".o_pivot th:contains('sofia')",
        },
        {trigger: ".o_pivot th:contains('First answer')"},
        {trigger: "button.o_switch_view.o_graph", run: "click"},
        {trigger: ".o_graph_canvas_container canvas"},
        {trigger: "button.o_switch_view.o_list", run: "click"},
        {
            content: "The list has the facts",
            trigger: ".o_data_row .o_data_cell[name='kind']:contains('Received')",
        },
        {trigger: ".o_data_row .o_data_cell[name='kind']:contains('New lead')"},
        {trigger: ".o_data_row .o_data_cell[name='kind']:contains('Answer')"},
    ],
});
