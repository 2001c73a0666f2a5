/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import * as threadActions from "@mail/core/common/thread_actions";
import {markup} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {user} from "@web/core/user";

const tours = registry.category("web_tour.tours");
const CARD = ".o_kanban_record:contains('Ana Pérez')";
const CHAT = ".o_whatsapp_chat .o-mail-Thread";
const MENU = ".o_menu_systray i[aria-label='Messages']";
const ITEM = ".o-mail-NotificationItem";
const TOAST = ".o_notification:contains('Ana Pérez')";
const HAS_TOASTS = !threadActions.registerThreadAction; // Of messages, on 18.0

function services() {
    return odoo.__WOWL_DEBUG__.root.env.services;
}

/** The conversation of a customer, as far as the page has loaded it. */
function chatOf(name) {
    const {Thread} = services()["mail.store"];
    return Object.values(Thread.records).find(
        ({model, displayName}) => model === "discuss.channel" && displayName === name
    );
}

function toastsOf(name) {
    return [...document.querySelectorAll(".o_notification")].filter(({textContent}) =>
        textContent.includes(name)
    );
}

let number = 1000000000;

/** Let something be told as if it came by the bus, which a test does not have. */
function message({body, ...values}) {
    const store = services()["mail.store"];
    const messages = store.Message ?? store["mail.message"];
    return messages.insert({
        id: number++,
        message_type: "comment",
        body: markup(body),
        ...values,
    });
}

function customerWrites(name, body) {
    const chat = chatOf(name);
    chat.notifyMessageToUser(
        message({body, thread: {model: "discuss.channel", id: chat.id}})
    );
}

/** A page on which nothing is known of the conversations yet, and one that is. */
function loadChats() {
    return [
        {trigger: MENU, run: "click"},
        {content: "The chats are there", trigger: `${ITEM}:contains('Ana Pérez')`},
        {trigger: MENU, run: "click"},
        {trigger: `body:not(:has(${ITEM}))`},
    ];
}

tours.add("crm_whatsapp_gateway.screen_inbox", {
    steps: () => [
        ...loadChats(),
        {
            content: "Somebody writes while one is in the pipeline",
            trigger: ".o_kanban_view",
            run() {
                customerWrites("Ana Pérez", "<p>Hello?</p><p>Are you there?</p>");
                customerWrites("Ana Pérez", "<p>The last word</p>");
                customerWrites("Eva Gil", "<p>Are you open?</p>");
            },
        },
        {content: "There is a bubble", trigger: ".o-mail-ChatBubble"},
        ...(HAS_TOASTS
            ? [
                  {
                      content: "One toast tells of it, whole",
                      trigger: `${TOAST}:contains('The last word') button:contains('Open the chat')`,
                      run() {
                          if (toastsOf("Ana Pérez").length > 1) {
                              throw new Error("more than one toast");
                          }
                      },
                  },
              ]
            : []),
        {
            content: "Go to the inbox",
            trigger: ".o_kanban_view",
            run: () =>
                services().action.doAction(
                    "crm_whatsapp_gateway.action_whatsapp_inbox"
                ),
        },
        {trigger: CARD, run: "click"},
        {trigger: CHAT},
        {
            content: "Nothing lies over the chat",
            trigger: CHAT,
            run() {
                const bubbles = document.querySelectorAll(".o-mail-ChatBubble");
                const isSeen = (bubble) => bubble.getClientRects().length > 0;
                if (!bubbles.length || [...bubbles].some(isSeen)) {
                    throw new Error("a bubble is seen, or none is left");
                }
            },
        },
        {
            content: "Of what is shown beside the list or in it no toast tells",
            trigger: CHAT,
            run() {
                customerWrites("Ana Pérez", "<p>Seen in the chat</p>");
                customerWrites("Eva Gil", "<p>Seen in the list</p>");
            },
        },
        {
            content: "But one tells that a customer is one's own now",
            trigger: CHAT,
            run() {
                const chat = chatOf("Eva Gil");
                services()["mail.out_of_focus"].notify(
                    message({
                        body:
                            "<p>For you.</p><p>He wants five</p><p><a href=" +
                            `"/odoo/discuss?active_id=discuss.channel_${chat.id}">` +
                            "Open it</a></p>",
                        message_type: "user_notification",
                        subject: "WhatsApp: somebody",
                    })
                );
                if (chat.eq(services()["mail.store"].whatsapp_inbox_thread)) {
                    throw new Error("the wrong chat");
                }
            },
        },
        {
            content: "Line by line, and below the list",
            trigger: ".o_notification:contains('WhatsApp: somebody')",
            run() {
                const text = this.anchor.querySelector(".o_notification_content");
                const toasts = document.querySelectorAll(".o_notification");
                const {left, width} = this.anchor.getBoundingClientRect();
                const chat = document.querySelector(".o_whatsapp_chat");
                if (!text.textContent.endsWith("For you.\nHe wants five")) {
                    throw new Error(`not the lines: ${text.textContent}`);
                }
                for (const toast of toasts) {
                    if (toast.textContent.includes("Seen in")) {
                        throw new Error("a toast of what is seen");
                    }
                }
                if (left + width > chat.getBoundingClientRect().right) {
                    throw new Error("out of the page");
                }
            },
        },
        {
            content: "Elsewhere the bubbles are back",
            trigger: CHAT,
            run: () => services().action.doAction("crm.crm_lead_action_pipeline"),
        },
        {trigger: ".o_opportunity_kanban"},
        {
            trigger: ".o-mail-ChatBubble",
            run: () =>
                services().action.doAction(
                    "crm_whatsapp_gateway.action_whatsapp_inbox"
                ),
        },
        {
            content: "What the systray opens, opens beside the list",
            trigger: CARD,
            run: () => chatOf("Eva Gil").open({focus: true}),
        },
        {trigger: ".o_whatsapp_chat_header h2:contains('Eva Gil')"},
        {trigger: "body:not(:has(.o-mail-ChatWindow))"},
    ],
});

tours.add("crm_whatsapp_gateway.screen_systray", {
    steps: () => [
        {trigger: MENU, run: "click"},
        {
            content: "The chat stands there, and no lead",
            trigger: `${ITEM}:contains('Ana Pérez')`,
            run() {
                const items = [...document.querySelectorAll(ITEM)];
                const leads = items.filter(({textContent}) =>
                    textContent.includes("(WhatsApp)")
                );
                if (leads.length) {
                    throw new Error(`a lead: ${leads[0].textContent}`);
                }
                this.anchor.click();
            },
        },
        {
            content: "The customer can be answered",
            trigger: ".o-mail-ChatWindow .o-whatsapp-Window:contains('Free text')",
        },
        {
            trigger: ".o-mail-ChatWindow .o-mail-Message:contains('How much is it?')",
        },
    ],
});

tours.add("crm_whatsapp_gateway.screen_lead_mention", {
    steps: () => [
        {trigger: MENU, run: "click"},
        {trigger: `${ITEM}:contains('(WhatsApp)')`, run: "click"},
        {
            content: "What a colleague wrote there is on the form",
            trigger: ".o_form_view .o-mail-Message:contains('Please look')",
        },
        {
            content: "And in no window, where one would write notes unawares",
            trigger: "body:not(:has(.o-mail-ChatWindow))",
        },
    ],
});

tours.add("crm_whatsapp_gateway.screen_failure", {
    steps: () => [
        {trigger: MENU, run: "click"},
        {
            content: "Which customer, and why",
            trigger: `${ITEM}:contains('Not delivered: Ana Pérez'):contains('cannot be reached')`,
            run: "click",
        },
        {trigger: ".o-mail-ChatWindow .o-mail-Message:contains('Hello Ana')"},
        {trigger: MENU, run: "click"},
        {trigger: `${ITEM}:contains('Not delivered: Ana Pérez')`, run: "hover"},
        {
            content: "Odoo's mark dismisses the failure",
            trigger: `${ITEM} .o-mail-NotificationItem-markAsRead`,
            run: "click",
        },
        {trigger: `body:not(:has(${ITEM}:contains('Not delivered')))`},
        {trigger: ".o-mail-ChatWindow .o-mail-Message:contains('Hello Ana') .fa-ban"},
    ],
});

/** Wait for something on the page; how long it took is measured. */
async function until(isThere) {
    for (;;) {
        const found = isThere();
        if (found) {
            return found;
        }
        await new Promise((resolve) => requestAnimationFrame(resolve));
    }
}

async function seconds(start, isThere) {
    const before = performance.now();
    start();
    await until(isThere);
    return (performance.now() - before) / 1000;
}

const LONG = 60000; // milliseconds: it is measured, and not a reason to stop
const times = [];

/** An item of the systray's list. */
function anItem() {
    return [...document.querySelectorAll(ITEM)].find(({textContent}) =>
        textContent.includes("Ana")
    );
}

tours.add("crm_whatsapp_gateway.screen_thousands", {
    steps: () => [
        {
            content: "The list in the systray",
            trigger: MENU,
            timeout: LONG,
            async run() {
                const {channels} = services()["mail.store"];
                const isThere = () => channels.status === "fetched" && anItem();
                times.push(await seconds(() => this.anchor.click(), isThere));
            },
        },
        {
            content: "A chat right after it",
            trigger: ITEM,
            timeout: LONG,
            async run() {
                const isThere = () =>
                    document.querySelector(".o-mail-ChatWindow .o-mail-Message");
                times.push(await seconds(() => anItem().click(), isThere));
            },
        },
        {
            content: "The inbox; a test reads of the signature how long it took",
            trigger: "body",
            timeout: LONG,
            async run() {
                const isThere = () =>
                    document.querySelector(".o_whatsapp_inbox .o_kanban_record");
                const inbox = "crm_whatsapp_gateway.action_whatsapp_inbox";
                times.push(
                    await seconds(() => services().action.doAction(inbox), isThere)
                );
                await services().orm.write("res.users", [user.userId], {
                    signature: times.join(" "),
                });
            },
        },
    ],
});

tours.add("crm_whatsapp_gateway.screen_mention", {
    steps: () => [
        {
            trigger: ".o-mail-Discuss .o-whatsapp-Window button:contains('Note')",
            run: "click",
        },
        {
            trigger: ".o-mail-Discuss .o-mail-Composer-input",
            run: "edit @tom",
        },
        {
            content: "A colleague who is not in the conversation is offered",
            trigger: ".o-mail-NavigableList-item:contains('tomas')",
            run: "click",
        },
        {
            trigger: ".o-mail-Discuss .o-mail-Composer-input:value('@tomas')",
            run: "press Enter",
        },
        {trigger: ".o-mail-Discuss .o-whatsapp-note:contains('@tomas')"},
    ],
});

tours.add("crm_whatsapp_gateway.screen_contact", {
    steps: () => [
        {trigger: ".o-mail-Discuss button[title='Contact']", run: "click"},
        {trigger: ".modal button[name='create_partner']", run: "click"},
        {
            content: "The contact has the number",
            trigger: ".o_form_view .o_field_widget[name='phone'] input:value('+52')",
        },
    ],
});

tours.add("crm_whatsapp_gateway.screen_link_lead", {
    steps: () => [
        {trigger: ".o-mail-Discuss button[title='Link with a lead']", run: "click"},
        {
            trigger: ".modal .o_field_widget[name='lead_id'] input",
            run: "edit Older",
        },
        {trigger: ".o-autocomplete--dropdown-item:contains('Older')", run: "click"},
        {trigger: ".modal button[name='action_link']", run: "click"},
        {trigger: "body:not(:has(.modal))"},
    ],
});
