/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import "@mail/discuss/core/common/thread_actions";
import {Thread} from "@mail/core/common/thread";
import {Thread as ThreadModel} from "@mail/core/common/thread_model";
import {patch} from "@web/core/utils/patch";
import {threadActionsRegistry} from "@mail/core/common/thread_actions";
import {useEffect} from "@odoo/owl";
import {user} from "@web/core/user";
import {useService} from "@web/core/utils/hooks";

export function isSame(one, other) {
    return JSON.stringify(one) === JSON.stringify(other);
}

/** Keep what is known of the lead. Each change draws the chat anew. */
export function learn(thread, known) {
    if (thread.whatsapp_lead_stale) {
        thread.whatsapp_lead_stale = false;
    }
    if (!isSame(known, thread.whatsapp_lead)) {
        thread.whatsapp_lead = known;
    }
}

/** Whose the conversation is, over the messages: read anew when the lead changes. */
patch(Thread.prototype, {
    setup() {
        super.setup();
        const orm = useService("orm");
        useEffect(
            (thread, isStale) => {
                if (isStale) {
                    orm.silent
                        .call("discuss.channel", "whatsapp_known", [[thread.id]])
                        .then((answer) => {
                            if (answer) {
                                learn(thread, answer.known);
                                thread.whatsapp_off = answer.off;
                            }
                        });
                }
            },
            () => [this.props.thread, this.props.thread.whatsapp_lead_stale]
        );
    },
});

/** One's own conversation is hidden until the customer writes; others' are left. */
patch(ThreadModel.prototype, {
    get isOwnWhatsapp() {
        return Boolean(
            this.whatsapp_lead && this.whatsapp_lead.user_id === user.userId
        );
    },
    get canLeave() {
        return super.canLeave && !this.isOwnWhatsapp;
    },
    get canUnpin() {
        return this.isOwnWhatsapp || super.canUnpin;
    },
});

// The panel of the lead asks colleagues in, with a note. Odoo's own way finds nobody:
// OCA offers its group of gateway users only, and salespeople are none.
const invite = threadActionsRegistry.get("invite-people");
const {condition} = invite;
threadActionsRegistry.add(
    "invite-people",
    {
        ...invite,
        // 18.0 passes the component, 19.0 {owner, thread}: both have "thread"
        condition: (context) =>
            context.thread?.whatsapp_lead === undefined && condition(context),
    },
    {force: true}
);
