/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import "@mail_gateway_whatsapp_queue/chat/toasts.esm";
import {Thread} from "@mail/core/common/thread_model";
import {patch} from "@web/core/utils/patch";

/** While the inbox is open, what happens in its conversations happens in it. */
patch(Thread.prototype, {
    get whatsappInbox() {
        const inbox = this.store.env.services["crm_whatsapp_gateway.inbox"];
        return this.isWhatsapp && inbox?.hasRoom ? inbox : undefined;
    },
    /** The list shows that somebody wrote. */
    get isWhatsappSeen() {
        const isListed = this.whatsappInbox?.ids.includes(this.id);
        return super.isWhatsappSeen || (!document.hidden && Boolean(isListed));
    },
    /** A window would cover the chat beside the list. */
    open() {
        const inbox = this.whatsappInbox;
        return inbox ? inbox.show(this) : super.open(...arguments);
    },
});
