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

tours.add("crm_whatsapp_gateway.nobody_is_late", {
    steps: () => [
        {
            content: "Nobody is late, but somebody waits: no tick, and it says so",
            trigger:
                ".o_kanban_record:contains('Late answers'):not(:has(.fa-check)):contains('customers wait: 1'):contains('sofia') .fa-hourglass-half",
        },
        {trigger: ".o_kanban_record:contains('Late answers')", run: "click"},
        {
            content: "The card opens who waits",
            trigger: ".o_whatsapp_inbox .o_kanban_record:contains('Ana Pérez')",
        },
    ],
});

tours.add("crm_whatsapp_gateway.waiting", {
    steps: () => [
        {
            content: "Each salesperson with the number of customers who wait",
            trigger:
                ".o_data_row:contains('sofia') .o_data_cell[name='waiting']:contains('1')",
        },
        {
            trigger: ".o_data_row:contains('sofia') .o_data_cell[name='waiting']",
            run: "click",
        },
        {
            content: "The row opens their conversations",
            trigger: ".o_whatsapp_inbox .o_kanban_record:contains('Ana Pérez')",
        },
    ],
});

tours.add("crm_whatsapp_gateway.report", {
    steps: () => [
        {
            content: "The pivot has the figures by salesperson",
            trigger: ".o_pivot th:contains('sofia')",
        },
        {trigger: ".o_pivot th:contains('First answer (working minutes)')"},
        {trigger: ".o_pivot th:contains('First answer (minutes by the clock)')"},
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
