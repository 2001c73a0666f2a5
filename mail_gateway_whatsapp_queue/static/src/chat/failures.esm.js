/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import "@mail/core/web/messaging_menu_patch";
import {Failure} from "@mail/core/common/failure_model";
import {MessagingMenu} from "@mail/core/public_web/messaging_menu";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";

/** 18.0 and 19.0 tell the name of a chat that is not loaded yet by different fields. */
function nameOf(failure) {
    const thread = failure.lastMessage?.thread;
    return thread?.displayName || thread?.name || "";
}

/** 18.0 and 19.0 call the message of a notification differently. */
function messageOf(notification) {
    return notification.message ?? notification.mail_message_id;
}

/** What was not sent by WhatsApp, among the failures that the systray lists. */
patch(Failure.prototype, {
    get isWhatsapp() {
        return this.notifications[0]?.gateway_type === "whatsapp";
    },
    get body() {
        if (!this.isWhatsapp) {
            return super.body;
        }
        const reasons = this.notifications.map(({failure_reason: reason}) => reason);
        return reasons.findLast(Boolean) ?? _t("The customer did not get the message.");
    },
    get iconSrc() {
        return this.isWhatsapp
            ? (this.lastMessage?.thread?.avatarUrl ?? super.iconSrc)
            : super.iconSrc;
    },
});

patch(MessagingMenu.prototype, {
    getFailureNotificationName(failure) {
        return failure.isWhatsapp
            ? _t("Not delivered: %s", nameOf(failure))
            : super.getFailureNotificationName(...arguments);
    },
    /** Odoo's mark on it: of this conversation only, and what failed is given up. */
    async cancelNotifications(failure) {
        if (!failure.isWhatsapp) {
            return super.cancelNotifications(...arguments);
        }
        const dismissed = [...failure.notifications];
        const ids = dismissed.map((each) => messageOf(each)?.id).filter(Boolean);
        await this.env.services.orm.call("mail.message", "action_whatsapp_dismiss", [
            ids,
        ]);
        for (const notification of dismissed) {
            notification.notification_status = "canceled";
        }
    },
    onClickFailure(failure) {
        const thread = failure.isWhatsapp && failure.lastMessage?.thread;
        if (!thread) {
            return super.onClickFailure(...arguments);
        }
        this.dropdown.close();
        if (thread.model === "discuss.channel") {
            return this.env.services["mail.out_of_focus"].openChat(thread.id);
        }
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: thread.model,
            res_id: thread.id,
            views: [[false, "form"]],
        });
    },
});
