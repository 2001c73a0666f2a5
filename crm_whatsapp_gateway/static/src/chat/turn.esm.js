/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {_t} from "@web/core/l10n/translation";
import {threadActionsRegistry} from "@mail/core/common/thread_actions";
import {user} from "@web/core/user";

const AWAY = ["snoozed", "closed"];
let seesAll = false;
user.hasGroup("sales_team.group_sale_salesman_all_leads").then((does) => {
    seesAll = does;
});

/** One's own and nobody's; a manager anybody's. The server checks it. */
function mayHandOver({whatsapp_lead: lead}) {
    return !lead?.user_id || lead.user_id === user.userId || seesAll;
}

/** 18.0 passes the component, 19.0 {owner, thread}: both have "thread". */
function inboxOf(thread) {
    return thread.store.env.services["crm_whatsapp_gateway.inbox"];
}

/** A button of WhatsApp's chats: in Discuss, in a chat window, beside the inbox. */
function add(id, {condition, icon, name, open, sequence}) {
    threadActionsRegistry.add(id, {
        condition: ({thread, owner}) =>
            Boolean(thread?.whatsapp_state) &&
            !owner?.isDiscussSidebarChannelActions &&
            condition(thread, inboxOf(thread)),
        icon: `fa fa-fw ${icon}`,
        iconLarge: `fa fa-fw fa-lg ${icon}`,
        name,
        open: ({thread}) => open(inboxOf(thread), thread.id),
        sequence,
        sequenceGroup: 1,
    });
}

add("whatsapp-previous", {
    condition: (thread, inbox) => Boolean(inbox.view),
    icon: "fa-arrow-up",
    name: _t("Previous conversation"),
    open: (inbox) => inbox.go(-1),
    sequence: 1,
});
add("whatsapp-next", {
    condition: (thread, inbox) => Boolean(inbox.view),
    icon: "fa-arrow-down",
    name: _t("Next conversation"),
    open: (inbox) => inbox.go(1),
    sequence: 2,
});
add("whatsapp-go-on", {
    // elsewhere there is a button with the name
    condition: (thread, inbox) => Boolean(inbox.view) && !inbox.hasRoom,
    icon: "fa-angle-double-right",
    name: _t("Next customer who waits"),
    open: (inbox) => inbox.goOn(),
    sequence: 2,
});
add("whatsapp-close", {
    condition: ({whatsapp_state: state}) => state !== "closed",
    icon: "fa-check",
    name: _t("Close the conversation"),
    open: (inbox, id) => inbox.close(id),
    sequence: 3,
});
add("whatsapp-snooze", {
    condition: () => true,
    icon: "fa-moon-o",
    name: _t("Snooze the conversation"),
    open: (inbox, id) => inbox.snooze(id),
    sequence: 4,
});
add("whatsapp-hand-over", {
    condition: mayHandOver,
    icon: "fa-share",
    name: _t("Hand over"),
    open: (inbox, id) => inbox.handOver(id),
    sequence: 5,
});
add("whatsapp-reopen", {
    condition: ({whatsapp_state: state}) => AWAY.includes(state),
    icon: "fa-undo",
    name: _t("Open again"),
    open: (inbox, id) => inbox.reopen(id),
    sequence: 6,
});
