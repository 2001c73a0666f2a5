/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import "@mail/discuss/core/common/thread_actions";
import {Thread as ThreadModel} from "@mail/core/common/thread_model";
import {patch} from "@web/core/utils/patch";
import {threadActionsRegistry} from "@mail/core/common/thread_actions";
import {user} from "@web/core/user";

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
