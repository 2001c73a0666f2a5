/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const CARD = ".o-mail-Message:contains('Eva Gil')";
const SAVE_CONTACT = ".o-mail-Message-actions [name='whatsapp-save-contact']";

const CHAT = ".o_whatsapp_chat";

/** Open the inbox by the menus, as somebody does in the morning. */
function openInbox() {
    return [
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
    ];
}

/** A conversation whose chat is there, with its messages. */
function chatOf(name, text) {
    return [
        {
            content: `The card of ${name} is marked`,
            trigger: `.o_whatsapp_selected:contains('${name}')`,
        },
        {
            content: `The chat of ${name} stands beside it, and is not empty`,
            trigger: `${CHAT}:contains('${name}') .o-mail-Message:contains('${text}')`,
        },
    ];
}

tours.add("crm_whatsapp_gateway.inbox", {
    steps: () => [
        ...openInbox(),
        {
            content: "Two conversations, and room for a chat",
            trigger: ".o_kanban_record:contains('Eva Gil')",
        },
        {trigger: `${CHAT}:contains('Choose a conversation')`},
        {
            content: "Only those who wait",
            trigger: ".o_searchview_dropdown_toggler",
            run: "click",
        },
        {
            trigger: ".o_menu_item:contains('Waiting for us')",
            run: "click",
        },
        {trigger: ".o_kanban_renderer:not(:has(.o_kanban_record:contains('Eva')))"},
        {
            content: "The card tells what is to be known",
            trigger:
                ".o_kanban_record:contains('Ana Pérez'):contains('How much is it?'):contains('23 h')",
            run: "click",
        },
        ...chatOf("Ana Pérez", "How much is it?"),
        {
            content: "The list opens it as well, and the form by its own button",
            trigger: "button.o_switch_view.o_list",
            run: "click",
        },
        {
            trigger: ".o_data_row .o_data_cell[name='name']:contains('Ana Pérez')",
            run: "click",
        },
        ...chatOf("Ana Pérez", "How much is it?"),
        {
            trigger: ".o_data_row button[name='action_details']",
            run: "click",
        },
        {trigger: "button[name='action_open_lead']", run: "click"},
        {trigger: ".o_form_view button[name='action_open_whatsapp']", run: "click"},
        {
            content: "Over the lead the chat is a window",
            trigger: ".o-mail-ChatWindow .o-mail-Message:contains('How much is it?')",
        },
    ],
});

tours.add("crm_whatsapp_gateway.inbox_answer", {
    steps: () => [
        {
            trigger: ".o_kanban_record:contains('Ana Pérez')",
            run: "click",
        },
        ...chatOf("Ana Pérez", "How much is it?"),
        {
            content: "One can write at once",
            trigger: `${CHAT} .o-mail-Composer-input:focus`,
            run: "edit It is 5 euros",
        },
        {trigger: `${CHAT} .o-mail-Composer-input`, run: "press Enter"},
        {
            content: "The answer is there, with its state",
            trigger: `${CHAT} .o-mail-Message:contains('It is 5 euros') .fa-clock-o`,
        },
        {
            content: "The one above, without the mouse",
            trigger: `${CHAT} .o-mail-Composer-input`,
            run: "press alt+ArrowUp",
        },
        ...chatOf("Eva Gil", "Are you open?"),
        {
            content: "And back by the button",
            trigger: `${CHAT} button[name='whatsapp-next']`,
            run: "click",
        },
        ...chatOf("Ana Pérez", "It is 5 euros"),
        {
            content: "What is dealt with leaves, and who waits takes its place",
            trigger: `${CHAT} button[name='whatsapp-close']`,
            run: "click",
        },
        ...chatOf("Eva Gil", "Are you open?"),
        {trigger: ".o_kanban_renderer:not(:has(.o_kanban_record:contains('Ana')))"},
        {
            content: "It can be taken back",
            trigger:
                ".o_notification:contains('Conversation closed') button:contains('Undo')",
            run: "click",
        },
        {trigger: ".o_kanban_record:contains('Ana Pérez')"},
        {
            content: "Something for tomorrow",
            trigger: `${CHAT} button[name='whatsapp-snooze']`,
            run: "click",
        },
        {trigger: ".modal .o_field_widget[name='choice'] input:checked"},
        {trigger: ".modal button[name='action_snooze']", run: "click"},
        {trigger: ".o_kanban_renderer:not(:has(.o_kanban_record:contains('Eva')))"},
        ...chatOf("Ana Pérez", "It is 5 euros"),
        {
            content: "The chat can be put away",
            trigger: `${CHAT} button[title^='Hide the chat']`,
            run: "click",
        },
        {trigger: `${CHAT}:contains('Choose a conversation')`},
    ],
});

tours.add("crm_whatsapp_gateway.inbox_pages", {
    steps: () => [
        {
            content: "One conversation on a page",
            trigger: ".o_pager_value:contains('1')",
        },
        {trigger: ".o_kanban_record:contains('Eva Gil')", run: "click"},
        ...chatOf("Eva Gil", "Are you open?"),
        {
            content: "The next one is on the next page",
            trigger: `${CHAT} .o-mail-Composer-input`,
            run: "press alt+ArrowDown",
        },
        ...chatOf("Ana Pérez", "How much is it?"),
        {
            content: "At the end there is no other; and back",
            trigger: `${CHAT} .o-mail-Composer-input`,
            run: "press alt+ArrowDown",
        },
        {trigger: `${CHAT} .o-mail-Composer-input`, run: "press alt+ArrowUp"},
        ...chatOf("Eva Gil", "Are you open?"),
    ],
});

tours.add("crm_whatsapp_gateway.inbox_groups", {
    steps: () => [
        {trigger: ".o_searchview_dropdown_toggler", run: "click"},
        {
            content: "A message that comes meanwhile does not take the grouping back",
            trigger: ".o_group_by_menu .o_menu_item:contains('Stage')",
            async run(helpers) {
                await helpers.click();
                const {env} = odoo.__WOWL_DEBUG__.root;
                const {view} = env.services["crm_whatsapp_gateway.inbox"];
                for (let tries = 0; tries < 10 && !view.loading; tries++) {
                    await new Promise((resolve) => setTimeout(resolve, 2));
                }
                view.reload();
            },
        },
        {
            content: "A column for each stage, and the chat beside them",
            trigger: ".o_kanban_group .o_kanban_record:contains('Ana Pérez')",
            run: "click",
        },
        ...chatOf("Ana Pérez", "How much is it?"),
        {
            content: "The panel of the lead stands beside the chat",
            trigger: `${CHAT} button[name='whatsapp-lead']`,
            run: "click",
        },
        {trigger: `${CHAT} .o-whatsapp-LeadPanel:contains('Ana Pérez')`},
    ],
});

tours.add("crm_whatsapp_gateway.inbox_phone", {
    steps: () => [
        {
            trigger: ".o_kanban_record:contains('Ana Pérez')",
            run: "click",
        },
        {
            content: "The chat has the whole screen",
            trigger:
                ".o-mail-ChatWindow.o-mobile .o-mail-Message:contains('How much is it?')",
        },
        {
            trigger: ".o-mail-ChatWindow button[title^='Close Chat Window']",
            run: "click",
        },
        {trigger: "body:not(:has(.o-mail-ChatWindow))"},
        {trigger: ".o_kanban_record:contains('Eva Gil')", run: "click"},
        {
            content: "So does the back button of the phone",
            trigger:
                ".o-mail-ChatWindow.o-mobile .o-mail-Message:contains('Are you open?')",
            run: () => history.back(),
        },
        {trigger: "body:not(:has(.o-mail-ChatWindow))"},
        {
            content: "The next conversation, without going back",
            trigger: ".o_kanban_record:contains('Eva Gil')",
            run: "click",
        },
        {
            trigger:
                ".o-mail-ChatWindow .o-actionsMenu, .o-mail-ChatWindow-moreActions",
            run: "click",
        },
        {
            trigger: ".o-dropdown--menu .o-dropdown-item:contains('Next conversation')",
            run: "click",
        },
        {
            trigger:
                ".o-mail-ChatWindow.o-mobile .o-mail-Message:contains('How much is it?')",
        },
        {
            content: "One chat only",
            trigger: "body:not(:has(.o-mail-Message:contains('Are you open?')))",
            run: () => history.back(),
        },
        {trigger: "body:not(:has(.o-mail-ChatWindow))"},
        {trigger: ".o_kanban_record:contains('Eva Gil')"},
    ],
});

tours.add("crm_whatsapp_gateway.inbox_empty", {
    steps: () => [
        {
            content: "An inbox in which nothing waits says where the rest is",
            trigger: ".o_whatsapp_empty:contains('Nothing is waiting')",
        },
        {
            trigger: ".o_whatsapp_empty button:contains('Show all')",
            run: "click",
        },
        {
            content: "And one without any conversation how to begin",
            trigger: ".o_whatsapp_empty:contains('No conversation yet')",
        },
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
                ".o_field_widget[name='whatsapp_conversation_ids'] .o_data_row:contains('How much is it?') button[name='action_open']",
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

tours.add("crm_whatsapp_gateway.pipeline", {
    steps: () => [
        {
            content: "In the pipeline the lead's card tells who waits",
            trigger:
                ".o_kanban_record:contains('Ana Pérez') .o_whatsapp_card:contains('min')",
            run: "click",
        },
        {
            content: "And opens the chat over it",
            trigger: ".o-mail-ChatWindow .o-mail-Message:contains('How much is it?')",
        },
        {trigger: ".o_kanban_record:contains('Ana Pérez')"},
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

// Milliseconds in which a dialog opens, on a machine that does much else
const SLOW = 60000;

tours.add("crm_whatsapp_gateway.template_choice", {
    steps: () => [
        {trigger: ".o-whatsapp-Window button:contains('template')", run: "click"},
        {
            content: "The one in the customer's language is first, marked as such",
            trigger:
                ".modal .o_whatsapp_templates_option:first:contains('Follow up'):contains('Spanish')",
            timeout: SLOW,
        },
        {
            trigger:
                ".modal .o_whatsapp_templates_option:last .text-bg-warning:contains('English')",
        },
        {
            content: "Words of the text find one, without their accents",
            trigger: ".modal .o_whatsapp_templates input",
            run: "edit cotizacion",
        },
        {
            trigger:
                ".modal .o_whatsapp_templates_list:not(:contains('Order')) [role='option']:contains('Follow up')",
        },
        {
            content: "Enter chooses it; what stands for the name is known",
            trigger: ".modal .o_whatsapp_templates input",
            run: "press Enter",
        },
        {trigger: ".modal .o_whatsapp_preview:contains('Hola Ana, tu cotización')"},
        {
            content: "One goes on where something is to be filled",
            trigger: ".modal .o_whatsapp_values input:focus",
        },
        {
            content: "The preview follows while one types",
            trigger:
                ".modal .o_whatsapp_values > div:contains('tu cotización ____') input",
            run: "edit S00042",
        },
        {
            trigger: ".modal .o_whatsapp_preview:contains('cotización S00042')",
        },
        {
            trigger: ".modal .o_whatsapp_values > div:eq(1) input",
            run: "press Enter",
        },
        {trigger: ".modal button[name='action_send']:focus", run: "click"},
        {trigger: "body:not(:has(.modal))"},
    ],
});

tours.add("crm_whatsapp_gateway.template_phone", {
    steps: () => [
        {trigger: ".o-whatsapp-Window button:contains('template')", run: "click"},
        {
            trigger: ".modal .o_whatsapp_templates_option:contains('Follow up')",
            run: "click",
            timeout: SLOW,
        },
        {
            content: "No keyboard covers the screen before one wants to write",
            trigger:
                ".modal:has(.o_whatsapp_preview:contains('Hola Ana')):not(:has(.o_whatsapp_values input:focus))",
        },
        {
            trigger:
                ".modal .o_whatsapp_values > div:contains('tu cotización ____') input",
            run: "edit S00042",
        },
        {trigger: ".modal .o_whatsapp_preview:contains('cotización S00042')"},
        {trigger: ".modal button[name='action_send']", run: "click"},
        {trigger: "body:not(:has(.modal))"},
    ],
});

tours.add("crm_whatsapp_gateway.template_keys", {
    steps: () => [
        {
            content: "One click",
            trigger: ".o-whatsapp-Window button:contains('template')",
            run: "click",
        },
        {
            content: "Enter for what was sent last",
            trigger: ".modal .o_whatsapp_templates input:focus",
            run: "press Enter",
            timeout: SLOW,
        },
        {
            content: "Enter to send it",
            trigger:
                ".modal:has(.o_whatsapp_preview:contains('Hola Ana')) button[name='action_send']:focus",
            run: "press Enter",
        },
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
