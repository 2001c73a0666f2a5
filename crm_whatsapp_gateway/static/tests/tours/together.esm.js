/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const PANEL = ".o-whatsapp-LeadPanel";
const HISTORY = ".o-mail-Message:contains('How much is it?')";

/** A conversation that is not empty, and the panel of its lead beside it. */
function openPanel() {
    return [
        {
            content: "The conversation is there, and says whose it is",
            trigger: `.o-mail-Discuss ${HISTORY}`,
        },
        {trigger: ".o-mail-Discuss button[title='Lead']", run: "click"},
    ];
}

/** Choose the only colleague that a many2one offers. */
function chooseColleague(field, name) {
    return [
        {trigger: `.modal .o_field_widget[name='${field}'] input`, run: `edit ${name}`},
        {
            trigger: `.o-autocomplete--dropdown-item:contains('${name}')`,
            run: "click",
        },
    ];
}

tours.add("crm_whatsapp_gateway.lead_actions", {
    steps: () => [
        ...openPanel(),
        {
            content: "Whose it is, and how far",
            trigger:
                ".o-mail-Discuss .o-whatsapp-Owner:contains('sofia'):contains('New')",
        },
        {
            content: "The call links to the number, and asks what came of it",
            trigger: `${PANEL} a[href='tel:+525512345678']`,
            run() {
                // a browser in a test has nothing to call with
                this.anchor.addEventListener("click", (ev) => ev.preventDefault());
                this.anchor.click();
            },
        },
        {trigger: `${PANEL} .o-whatsapp-activity textarea`, run: "edit Will think"},
        {trigger: `${PANEL} button:contains('Mark as done')`, run: "click"},
        {trigger: `${PANEL} dd:contains('None is planned')`},
        {trigger: `${PANEL} button:contains('Schedule')`, run: "click"},
        {
            trigger: ".modal .o_field_widget[name='summary'] input",
            run: "edit Send the plan",
        },
        {trigger: ".modal button[name='action_schedule_activities']", run: "click"},
        {
            content: "What is planned shows at once",
            trigger: `${PANEL} .o-whatsapp-activity:contains('Send the plan')`,
        },
        {trigger: `${PANEL} select.o-whatsapp-stage`, run: "selectByLabel Qualified"},
        {
            content: "So does the stage, above the chat as well",
            trigger: ".o-mail-Discuss .o-whatsapp-Owner:contains('Qualified')",
        },
        {trigger: `${PANEL} button:contains('Won')`, run: "click"},
        {trigger: `${PANEL} .badge:contains('Won')`},
        {trigger: ".o-mail-Discuss .o-whatsapp-Owner:contains('Won')"},
    ],
});

tours.add("crm_whatsapp_gateway.lead_lost", {
    steps: () => [
        ...openPanel(),
        {trigger: `${PANEL} button:contains('Lost')`, run: "click"},
        {trigger: ".modal button[name='action_lost_reason_apply']", run: "click"},
        {trigger: `${PANEL} .badge:contains('Lost')`},
    ],
});

tours.add("crm_whatsapp_gateway.hand_over", {
    steps: () => [
        ...openPanel(),
        {trigger: `${PANEL} button:contains('Hand over')`, run: "click"},
        {
            trigger: ".modal .o_field_widget[name='user_id'] label:contains('tomas')",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='note'] textarea",
            run: "edit He wants five",
        },
        {trigger: ".modal button[name='action_hand_over']", run: "click"},
        {
            content: "It says who has the conversation now",
            trigger: ".o_notification:contains('tomas')",
        },
        {
            content: "Nothing of it is left",
            trigger:
                "body:not(:has(.modal)):not(:has(.o-mail-Message:contains('How much is it?')))",
        },
    ],
});

tours.add("crm_whatsapp_gateway.away", {
    steps: () => [
        ...openPanel(),
        {
            content: "The panel says who is away",
            trigger: `${PANEL} .o-whatsapp-people .o-whatsapp-away:contains('on leave until')`,
        },
        {trigger: `${PANEL} button:contains('Hand over')`, run: "click"},
        {
            content: "So does the list of colleagues",
            trigger:
                ".modal .o_field_widget[name='user_id'] label:contains('tomas'):contains('on leave until')",
        },
        {trigger: ".modal button[special='cancel']", run: "click"},
        {trigger: "body:not(:has(.modal))"},
    ],
});

tours.add("crm_whatsapp_gateway.handed_over", {
    steps: () => [
        ...openPanel(),
        {
            content: "The colleague reads the note among the messages",
            trigger:
                ".o-whatsapp-note:contains('He wants five') .badge:contains('Note')",
        },
        {trigger: ".o-whatsapp-Owner:contains('tomas')"},
        {
            content: "It is among the own conversations",
            trigger: ".o-mail-DiscussSidebar :contains('Ana Pérez')",
        },
        {trigger: `${PANEL} dd:contains('He wants five')`},
        {
            trigger: `${PANEL} .o-whatsapp-people:contains('tomas'):not(:contains('sofia'))`,
        },
    ],
});

tours.add("crm_whatsapp_gateway.invite", {
    steps: () => [
        ...openPanel(),
        {trigger: `${PANEL} button:contains('Invite a colleague')`, run: "click"},
        ...chooseColleague("user_ids", "tomas"),
        {
            trigger: ".modal .o_field_widget[name='note'] textarea",
            run: "edit What does delivery cost?",
        },
        {trigger: ".modal button[name='action_invite']", run: "click"},
        {
            content: "Both take part now",
            trigger: `${PANEL} .o-whatsapp-people:contains('tomas'):contains('sofia')`,
        },
    ],
});

tours.add("crm_whatsapp_gateway.invited", {
    steps: () => [
        ...openPanel(),
        {trigger: ".o-whatsapp-note:contains('What does delivery cost?')"},
        {
            content: "Whose lead it is cannot be changed by who only helps",
            trigger: `${PANEL} dd:contains('sofia')`,
        },
        {trigger: `${PANEL}:not(:has(button:contains('Hand over')))`},
        {trigger: `${PANEL}:not(:has(select))`},
    ],
});

const COMPOSER = ".o-mail-Discuss .o-mail-Composer";

tours.add("crm_whatsapp_gateway.note", {
    steps: () => [
        {trigger: `.o-mail-Discuss ${HISTORY}`},
        {
            content: "Outside of the window a note can be written still",
            trigger: ".o-whatsapp-Window button:contains('Note')",
            run: "click",
        },
        {trigger: `${COMPOSER}.o-whatsapp-noting`},
        {
            trigger: `${COMPOSER} textarea.o-mail-Composer-input`,
            run: "edit Pays late && press Enter",
        },
        {
            content: "It looks like none of the messages",
            trigger: ".o-whatsapp-note:contains('Pays late') .badge:contains('Note')",
        },
        {
            content: "Half a note is no draft of a message",
            trigger: `${COMPOSER} textarea.o-mail-Composer-input`,
            run: "edit He is",
        },
        {
            trigger: ".o-whatsapp-Window button:contains('Write to the customer')",
            run: "click",
        },
        {trigger: ".o-whatsapp-Window:contains('only templates')"},
        {trigger: ".o-whatsapp-Window button:contains('Note')", run: "click"},
        {trigger: `${COMPOSER} textarea.o-mail-Composer-input:value('He is')`},
    ],
});

tours.add("crm_whatsapp_gateway.note_in_window", {
    steps: () => [
        {trigger: `.o-mail-Discuss ${HISTORY}`},
        {
            trigger: ".o-whatsapp-Window:contains('Free text') button:contains('Note')",
            run: "click",
        },
        {
            trigger: `${COMPOSER}.o-whatsapp-noting textarea.o-mail-Composer-input`,
            run: "edit Pays late && press Enter",
        },
        {trigger: ".o-whatsapp-note:contains('Pays late')"},
        {
            trigger: ".o-whatsapp-Window button:contains('Write to the customer')",
            run: "click",
        },
        {
            trigger: `${COMPOSER}:not(.o-whatsapp-noting) textarea.o-mail-Composer-input`,
            run: "edit Hello Ana && press Enter",
        },
        {
            content: "What is sent looks different, and has its tick",
            trigger:
                ".o-mail-Message:not(.o-whatsapp-note):contains('Hello Ana') .fa-clock-o",
        },
    ],
});

tours.add("crm_whatsapp_gateway.two_numbers", {
    steps: () => [
        {
            content: "A lead with two conversations lets one choose, over the page",
            trigger: ".o_form_view button[name='action_open_whatsapp'].oe_stat_button",
            run: "click",
        },
        {trigger: ".modal .o-whatsapp-ChooseChat button:contains('Support')"},
        {
            trigger: ".modal .o-whatsapp-ChooseChat button:contains('Sales')",
            run: "click",
        },
        {trigger: `.o-mail-ChatWindow ${HISTORY}`},
        {trigger: ".o_form_view button[name='action_open_whatsapp']"},
    ],
});

tours.add("crm_whatsapp_gateway.no_lead", {
    steps: () => [
        {trigger: `.o-mail-Discuss ${HISTORY}`},
        {trigger: ".o-whatsapp-Owner:contains('No lead')"},
        {trigger: ".o-mail-Discuss button[title='Lead']", run: "click"},
        {trigger: `${PANEL}:contains('on the blacklist')`},
        {trigger: `${PANEL} button:contains('Make a lead')`, run: "click"},
        {trigger: `${PANEL} button:contains('Open the lead')`},
        {trigger: ".o-whatsapp-Owner:contains('New')"},
    ],
});

const LEAD_BUTTON = ".o-mail-ChatWindow-header button[title='Lead']";

tours.add("crm_whatsapp_gateway.phone", {
    steps: () => [
        {
            content: "The chat fills the screen of a phone",
            trigger: ".o_kanban_record:contains('Ana Pérez')",
            run: "click",
        },
        {trigger: `.o-mail-ChatWindow ${HISTORY}`},
        {trigger: ".o-mail-ChatWindow .o-whatsapp-Owner:contains('sofia')"},
        {
            content: "The lead is in the header; on 19.0 in its menu, for lack of room",
            trigger: ".o-mail-ChatWindow-header",
            run(helpers) {
                if (!document.querySelector(LEAD_BUTTON)) {
                    return helpers.click(
                        ".o-mail-ChatWindow button[title='Open Actions Menu']"
                    );
                }
            },
        },
        {
            trigger: `${LEAD_BUTTON}, .o-dropdown--menu .o-dropdown-item:contains('Lead')`,
            run: "click",
        },
        {
            content: "So does the panel, and nothing of it is cut off",
            trigger: `.o-mail-ChatWindow ${PANEL} button:contains('Hand over')`,
            run() {
                const wide = [document.querySelector(PANEL), document.documentElement];
                if (wide.some((element) => element.scrollWidth > window.innerWidth)) {
                    throw new Error("the panel is wider than the screen");
                }
            },
        },
        {
            trigger: `${PANEL} select.o-whatsapp-stage`,
            run: "selectByLabel Qualified",
        },
        {trigger: `${PANEL} button:contains('Open the lead')`, run: "click"},
        {
            content: "The chat does not cover what it opens",
            trigger: "body:not(:has(.o-mail-ChatWindow)) .o_form_view",
        },
    ],
});
