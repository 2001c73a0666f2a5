/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {Component} from "@odoo/owl";
import {Message} from "@mail/core/common/message";
import {Notification} from "@mail/core/common/notification_model";
import {Thread} from "@mail/core/common/thread";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";
import {usePopover} from "@web/core/popover/popover_hook";

const TICKS = {
    ready: ["fa fa-clock-o", _t("Waiting to be sent")],
    process: ["fa fa-clock-o", _t("Being sent")],
    pending: ["fa fa-question-circle-o", _t("Not confirmed yet")],
    sent: ["fa fa-check", _t("Sent")],
    whatsapp_delivered: ["fa o-whatsapp-ticks", _t("Delivered")],
    whatsapp_read: ["fa o-whatsapp-ticks o-whatsapp-read", _t("Read")],
    exception: ["fa fa-exclamation-circle text-danger", _t("Not delivered")],
    canceled: ["fa fa-ban", _t("Canceled")],
};

function tick(notification) {
    return notification.gateway_type === "whatsapp"
        ? TICKS[notification.notification_status]
        : undefined;
}

patch(Notification.prototype, {
    get icon() {
        return tick(this)?.[0] ?? super.icon;
    },
    get statusIcon() {
        return tick(this)?.[0] ?? super.statusIcon;
    },
    get statusTitle() {
        return tick(this)?.[1] ?? super.statusTitle;
    },
});

// The tick sits in a message's header, which grouped ("squashed") messages lack.
patch(Thread.prototype, {
    isSquashed(message) {
        return message.gateway_type === "whatsapp" && message.isSelfAuthored
            ? false
            : super.isSquashed(...arguments);
    },
});

/** A popover of our own: other modules replace Odoo's by a copy. */
class WhatsappStatus extends Component {
    static template = "crm_whatsapp_gateway.Status";
    static props = ["*"];
}

patch(Message.prototype, {
    setup() {
        super.setup();
        this.whatsappStatus = usePopover(WhatsappStatus, {position: "top"});
    },
    onClickNotification(ev) {
        // 18.0 and 19.0 call the list differently
        const {notifications, notification_ids} = this.message;
        const notification = (notifications ?? notification_ids).find(tick);
        return notification
            ? this.whatsappStatus.open(ev.target, {notification})
            : super.onClickNotification(ev);
    },
});
