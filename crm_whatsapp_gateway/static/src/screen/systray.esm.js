/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import "@mail/core/web/thread_model_patch";
import {MessagingMenu} from "@mail/core/public_web/messaging_menu";
import {Thread} from "@mail/core/common/thread_model";
import {isChatNotice} from "@mail_gateway_whatsapp_queue/chat/toasts.esm";
import {patch} from "@web/core/utils/patch";

/** A lead of which one was told only that its chat is one's own now. */
function standsForChat(thread) {
    const messages = thread.needactionMessages;
    return (
        thread.model === "crm.lead" &&
        messages.length > 0 &&
        messages.every(isChatNotice)
    );
}

patch(MessagingMenu.prototype, {
    /** The chat stands there, and the lead not above it. */
    get threads() {
        return super.threads.filter((thread) => !standsForChat(thread));
    },
});

patch(Thread.prototype, {
    open(options) {
        if (this.model === "crm.lead" && options?.fromMessagingMenu) {
            this.openFromMenu(() => super.open(...arguments));
            return true;
        }
        return super.open(...arguments);
    },
    /**
     * Open the chat of a lead: what one types in a window of the lead is a note. To
     * what a colleague wrote in its history leads its form.
     */
    async openFromMenu(open) {
        const {action, orm} = this.store.env.services;
        const [channel] = await orm.searchRead(
            "discuss.channel",
            [["lead_id", "=", this.id]],
            ["id"],
            {limit: 1, order: "whatsapp_last_customer_date desc"}
        );
        if (!channel) {
            open();
        } else if (this.needactionMessages.some(isFromSomebody)) {
            await action.doAction({
                type: "ir.actions.act_window",
                res_model: this.model,
                res_id: this.id,
                views: [[false, "form"]],
            });
        } else {
            this.markAllMessagesAsRead();
            await this.store.env.services["mail.out_of_focus"].openChat(channel.id);
        }
    },
});

function isFromSomebody({message_type: type}) {
    return type !== "user_notification";
}
