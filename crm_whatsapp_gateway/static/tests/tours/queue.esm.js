/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const CHAT = ".o_whatsapp_chat";
const TEXT = `${CHAT} .o-mail-Composer-input`;
const CUSTOMERS = 20;

function number(place) {
    return String(place).padStart(2, "0");
}

/** The chat of a customer is there, and one can write without a click. */
function chatOf(place) {
    return [
        {
            content: `The chat of customer ${place}, and no other`,
            trigger: `${CHAT} h2:contains('Customer ${number(place)}')`,
        },
        {trigger: `${CHAT} .o-mail-Message:contains('Question ${number(place)}')`},
        {trigger: `${TEXT}:focus`},
    ];
}

function answer(place) {
    return [
        ...chatOf(place),
        {trigger: TEXT, run: `edit Answer ${number(place)}`},
        {trigger: TEXT, run: "press control+Enter"},
    ];
}

tours.add("crm_whatsapp_gateway.queue", {
    steps: () => [
        {
            content: "Who waits longest is first",
            trigger: ".o_kanban_record:first:contains('Customer 00')",
        },
        {
            content: "And the button says so",
            trigger: `${CHAT} .o_whatsapp_next:contains('Customer 00')`,
        },
        {trigger: "body", run: "press control+Enter"},
        ...Array.from({length: CUSTOMERS}, (_, place) => answer(place)).flat(),
        {
            content: "Who wrote last is last",
            trigger: `${CHAT} h2:contains('Ana Pérez')`,
        },
    ],
});
