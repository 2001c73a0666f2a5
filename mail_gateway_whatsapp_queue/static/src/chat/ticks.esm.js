/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {Component, onWillStart, useState} from "@odoo/owl";
import {Message} from "@mail/core/common/message";
import {Message as MessageModel} from "@mail/core/common/message_model";
import {Notification} from "@mail/core/common/notification_model";
import {Thread} from "@mail/core/common/thread";
import {_t} from "@web/core/l10n/translation";
import {deserializeDateTime, formatDateTime} from "@web/core/l10n/dates";
import {patch} from "@web/core/utils/patch";
import {usePopover} from "@web/core/popover/popover_hook";
import {useService} from "@web/core/utils/hooks";

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

// What the customer certainly does not have
const CHANGEABLE = ["ready", "exception", "canceled"];

/** 18.0 and 19.0 call the list of notifications differently. */
function notificationOf(message) {
    return (message.notifications ?? message.notification_ids ?? []).find(tick);
}

patch(MessageModel.prototype, {
    /** The server would refuse to change or remove what perhaps arrived. */
    get editable() {
        const notification = notificationOf(this);
        return notification && !CHANGEABLE.includes(notification.notification_status)
            ? false
            : super.editable;
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

// States in which there is more to say than the tick does
const TROUBLE = ["ready", "pending", "exception"];
const DECISIONS = {
    retry: _t("Send again"),
    template: _t("Send a template"),
    edit: _t("Edit"),
    leave: _t("Leave it"),
    cancel: _t("Give up"),
};

/** A popover of our own: other modules replace Odoo's by a copy. */
class WhatsappStatus extends Component {
    static template = "mail_gateway_whatsapp_queue.Status";
    static props = ["*"];

    setup() {
        this.orm = useService("orm");
        this.decisions = DECISIONS;
        this.state = useState({delivery: null});
        onWillStart(async () => {
            if (TROUBLE.includes(this.props.notification.notification_status)) {
                this.state.delivery = await this.orm.call(
                    "mail.message",
                    "whatsapp_delivery",
                    [[this.props.messageId]]
                );
            }
        });
    }

    get reason() {
        return this.state.delivery?.reason || this.props.notification.failure_reason;
    }

    get nextAttempt() {
        const {next_attempt: next} = this.state.delivery ?? {};
        return next ? formatDateTime(deserializeDateTime(next)) : "";
    }

    async decide(decision) {
        // services of the component would forget the call once it is closed
        const {orm, action} = this.env.services;
        this.props.close();
        const next = await orm.call("mail.message", "action_whatsapp_decide", [
            [this.props.messageId],
            decision,
        ]);
        if (next) {
            await action.doAction(next);
        }
    }
}

patch(Message.prototype, {
    setup() {
        super.setup();
        this.whatsappStatus = usePopover(WhatsappStatus, {position: "top"});
    },
    onClickNotification(ev) {
        const notification = notificationOf(this.message);
        return notification
            ? this.whatsappStatus.open(ev.target, {
                  messageId: this.message.id,
                  notification,
              })
            : super.onClickNotification(ev);
    },
});
