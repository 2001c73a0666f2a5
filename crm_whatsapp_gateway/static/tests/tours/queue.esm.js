/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const CHAT = ".o_whatsapp_chat";
const TEXT = `${CHAT} .o-mail-Composer-input`;
const CUSTOMERS = 20;
const PATIENCE = 60000; // milliseconds until a page is loaded

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
            timeout: PATIENCE,
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

function card(place) {
    return `.o_kanban_record:contains('Customer ${number(place)}')`;
}

tours.add("crm_whatsapp_gateway.queue_begin", {
    steps: () => [
        {
            content: "From anywhere to the inbox",
            trigger: ".o_whatsapp_systray",
            timeout: PATIENCE,
            run: "click",
        },
        {
            content: "And to the first customer",
            trigger: `${CHAT} .o_whatsapp_next:contains('Customer 00')`,
            run: "click",
        },
        ...chatOf(0),
        {
            content: "Whom one can call",
            trigger: `${CHAT} .o-whatsapp-phone a[href='tel:+525587000000']:contains('+52 55 8700 0000')`,
        },
        {trigger: `${CHAT} .o-whatsapp-phone button[title='Copy the number']`},
    ],
});

tours.add("crm_whatsapp_gateway.queue_letters", {
    steps: () => [
        {
            content: "Who clicks and writes at once",
            trigger: card(0),
            timeout: PATIENCE,
            async run(helpers) {
                await helpers.click();
                await helpers.press("e");
                await helpers.press("z");
            },
        },
        {
            content: "Into a chat in which nothing can be written",
            trigger: `${CHAT} .o-whatsapp-Window:contains('only templates')`,
            async run(helpers) {
                for (const letter of "rejkz") {
                    await helpers.press(letter);
                }
            },
        },
        {
            content: "Closes nothing, snoozes nothing, goes nowhere",
            trigger: `body:not(:has(.modal)) ${CHAT} h2:contains('Customer 00')`,
        },
    ],
});

tours.add("crm_whatsapp_gateway.queue_keys", {
    steps: () => [
        {trigger: card(0), run: "click", timeout: PATIENCE},
        ...chatOf(0),
        {trigger: TEXT, run: "edit I am writing"},
        {
            content: "The buttons tell their keys",
            trigger: `${CHAT} button[name='whatsapp-snooze'][title='Snooze the conversation (Alt + Z)']`,
        },
        {trigger: TEXT, run: "press alt+z"},
        {trigger: ".modal .o_field_widget[name='choice']"},
        {trigger: ".modal button[special='cancel']", run: "click"},
        {content: "One writes on", trigger: `body:not(:has(.modal)) ${TEXT}:focus`},
        {trigger: TEXT, run: "press alt+o"},
        {
            content: "A colleague is one click away",
            trigger: ".modal .o_field_widget[name='user_id'] label:contains('tomas')",
            run: "click",
        },
        {trigger: ".modal button[name='action_hand_over']", run: "click"},
        {
            content: "The next customer takes the place",
            trigger: `body:not(:has(.modal)) ${CHAT} h2:contains('Customer 01')`,
        },
        ...chatOf(1),
        {trigger: TEXT, run: "press alt+l"},
        {trigger: ".o_notification:contains('Conversation closed')"},
        ...chatOf(2),
    ],
});

tours.add("crm_whatsapp_gateway.queue_order", {
    steps: () => [
        {
            trigger: ".o_kanban_record:first:contains('Customer 00')",
            timeout: PATIENCE,
        },
        {trigger: ".o_whatsapp_order:contains('Longest wait first')", run: "click"},
        {
            trigger: ".o-dropdown--menu .o-dropdown-item:contains('Newest first')",
            run: "click",
        },
        {trigger: ".o_whatsapp_order:contains('Newest first')"},
        {trigger: ".o_kanban_record:first:contains('Ana Pérez')"},
        {
            content: "The next customer follows the order",
            trigger: `${CHAT} .o_whatsapp_next:contains('Ana Pérez')`,
            run: "click",
        },
        {trigger: `${CHAT} .o_whatsapp_next:contains('Customer 01')`},
    ],
});

tours.add("crm_whatsapp_gateway.queue_drafts", {
    steps: () => [
        {trigger: card(0), run: "click", timeout: PATIENCE},
        ...chatOf(0),
        {trigger: TEXT, run: "edit Half a sentence"},
        {trigger: TEXT, run: "press alt+ArrowDown"},
        ...chatOf(1),
        {
            content: "What was begun is marked",
            trigger: `${card(0)}:contains('Draft')`,
            run() {
                // what a reload forgets
                const store = odoo.__WOWL_DEBUG__.root.env.services["mail.store"];
                Object.values(store.Thread.records)
                    .find(({displayName}) => displayName?.includes("Customer 00"))
                    .composer.clear();
            },
        },
        {
            content: "And where nothing was begun, nothing is marked",
            trigger: `${card(1)}:not(:contains('Draft'))`,
        },
        {trigger: `${card(0)}:contains('Draft')`, run: "click"},
        {trigger: `${CHAT} h2:contains('Customer 00')`},
        {trigger: `${TEXT}:value('Half a sentence')`, run: "press control+Enter"},
        {
            content: "The one who had no turn yet",
            trigger: `${CHAT} h2:contains('Ana Pérez')`,
        },
        {content: "Until it is sent", trigger: `${card(0)}:not(:contains('Draft'))`},
        {
            content: "Half a note is not kept, or it would come back as a message",
            trigger: `${CHAT} .o-whatsapp-Window button:contains('Note')`,
            run: "click",
        },
        {
            trigger: `${CHAT} .o-mail-Composer.o-whatsapp-noting .o-mail-Composer-input`,
            run: "edit Only for us",
        },
        {trigger: TEXT, run: "press alt+ArrowUp"},
        {
            trigger: `${CHAT} h2:contains('Customer 01')`,
            run() {
                const kept = Object.values(localStorage);
                if (kept.some((value) => value.includes("Only for us"))) {
                    throw new Error("the note is kept as a message");
                }
            },
        },
    ],
});

/** Fail if the address of the page is another one. */
function checkAddress(pattern) {
    return async () => {
        for (let tries = 0; tries < 100; tries++) {
            if (pattern.test(location.href)) {
                return;
            }
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        throw new Error(`the address is ${location.href}, not ${pattern}`);
    };
}

const OPEN = /\/odoo\/whatsapp\?conversation=\d+$/;
const LIST = /\/odoo\/whatsapp$/;

tours.add("crm_whatsapp_gateway.queue_address", {
    steps: () => [
        {
            content: "The address that somebody was sent opens the chat",
            trigger: `${CHAT} h2:contains('Customer 01')`,
            timeout: PATIENCE,
        },
        ...chatOf(1),
        {trigger: TEXT, run: checkAddress(OPEN)},
        {trigger: `${CHAT} button[title^='Hide the chat']`, run: "click"},
        {trigger: `${CHAT}:contains('Choose a conversation')`, run: checkAddress(LIST)},
        {trigger: card(0), run: "click"},
        ...chatOf(0),
        {trigger: TEXT, run: checkAddress(OPEN)},
        {trigger: `${CHAT} button[name='whatsapp-lead']`, run: "click"},
        {
            trigger: ".o-whatsapp-LeadPanel button:contains('Open the lead')",
            run: "click",
        },
        {
            content: "The way back from another page leads to the chat",
            trigger: ".o_form_view button[name='action_open_whatsapp']",
            run: () => history.back(),
        },
        ...chatOf(0),
        {
            content: "However many chats were opened",
            trigger: TEXT,
            run: "press alt+ArrowDown",
        },
        ...chatOf(1),
        {
            content: "The way back from them leads to the list",
            trigger: TEXT,
            run: () => history.back(),
        },
        {trigger: `${CHAT}:contains('Choose a conversation')`, run: checkAddress(LIST)},
    ],
});

tours.add("crm_whatsapp_gateway.queue_refused", {
    steps: () => [
        {
            content: "Who may not see it is told so",
            trigger: ".o_notification:contains('You cannot see this conversation')",
            timeout: PATIENCE,
        },
        {
            content: "And has the own list",
            trigger: `body:not(:has(.modal)) ${card(0)}`,
            run: checkAddress(LIST),
        },
    ],
});
