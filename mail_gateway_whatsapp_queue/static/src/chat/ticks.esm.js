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
import {user} from "@web/core/user";
import {usePopover} from "@web/core/popover/popover_hook";
import {useService} from "@web/core/utils/hooks";

const {DateTime} = luxon;
const HOUR = 3600000;
// From then on a message that is not delivered says so, on hover and in the chat
const SENT_LONG_AGO = HOUR;
const SENT_DAYS_AGO = 24 * HOUR;

const ICONS = {
    ready: "fa fa-clock-o",
    process: "fa fa-clock-o",
    pending: "fa fa-question-circle-o",
    sent: "fa fa-check",
    whatsapp_delivered: "fa o-whatsapp-ticks",
    whatsapp_read: "fa o-whatsapp-ticks o-whatsapp-read",
    exception: "fa fa-exclamation-circle text-danger",
    canceled: "fa fa-ban",
};
const STATES = {
    ready: _t("Waiting to be sent"),
    process: _t("Being sent"),
    pending: _t("Not confirmed yet"),
    sent: _t("Sent"),
    whatsapp_delivered: _t("Delivered"),
    whatsapp_read: _t("Read"),
    exception: _t("Not delivered"),
    canceled: _t("Canceled"),
};
// What happened at a moment: today, and on another day
const MOMENTS = {
    sent: [(time) => _t("Sent at %s", time), (day) => _t("Sent on %s", day)],
    whatsapp_delivered: [
        (time) => _t("Delivered at %s", time),
        (day) => _t("Delivered on %s", day),
    ],
    whatsapp_read: [(time) => _t("Read at %s", time), (day) => _t("Read on %s", day)],
};

function isTick(notification) {
    return (
        notification.gateway_type === "whatsapp" &&
        notification.notification_status in ICONS
    );
}

/** 18.0 and 19.0 call the message of a notification differently. */
function messageOf(notification) {
    return notification.message ?? notification.mail_message_id;
}

/** Since when a notification has its status; of old messages it is not known. */
function sinceOf(notification) {
    const since = notification.whatsapp_status_date;
    return since ? deserializeDateTime(since) : null;
}

function momentWords(moment, since) {
    const locale = {locale: user.lang};
    return since.hasSame(DateTime.now(), "day")
        ? moment[0](since.toLocaleString(DateTime.TIME_SIMPLE, locale))
        : moment[1](since.toLocaleString(DateTime.DATETIME_MED, locale));
}

/** Milliseconds for which a message has been sent, and not delivered. */
function undeliveredFor(notification) {
    if (notification.notification_status !== "sent") {
        return 0;
    }
    const sent = sinceOf(notification) ?? messageOf(notification)?.date;
    return sent ? DateTime.now() - sent : 0;
}

function undeliveredWords(milliseconds) {
    const hours = Math.floor(milliseconds / HOUR);
    const days = Math.floor(hours / 24);
    if (days) {
        return days === 1
            ? _t("not delivered for 1 day")
            : _t("not delivered for %s days", days);
    }
    return hours === 1
        ? _t("not delivered for 1 hour")
        : _t("not delivered for %s hours", hours);
}

/** What a tick says in words: on hover, to a screen reader, in its popover. */
function tickWords(notification) {
    const status = notification.notification_status;
    const since = sinceOf(notification);
    const known = since && MOMENTS[status];
    let words = known ? momentWords(known, since) : STATES[status].toString();
    const undelivered = undeliveredFor(notification);
    if (undelivered > SENT_LONG_AGO) {
        words = `${words}, ${undeliveredWords(undelivered)}`;
    }
    return words;
}

patch(Notification.prototype, {
    /** An answer of the server may arrive after the bus told of a newer status. */
    update(data) {
        const isOlder = data?.whatsapp_version < (this.whatsapp_version ?? 0);
        return super.update(isOlder ? {id: data.id} : data);
    },
    get icon() {
        return isTick(this) ? ICONS[this.notification_status] : super.icon;
    },
    get statusIcon() {
        return isTick(this) ? ICONS[this.notification_status] : super.statusIcon;
    },
    get statusTitle() {
        return isTick(this) ? tickWords(this) : super.statusTitle;
    },
    /** Beside the tick: what is sent since yesterday may never arrive. */
    get label() {
        const undelivered = isTick(this) ? undeliveredFor(this) : 0;
        return undelivered > SENT_DAYS_AGO
            ? undeliveredWords(undelivered)
            : super.label;
    },
});

// What the customer certainly does not have
const CHANGEABLE = ["ready", "exception", "canceled"];

/** 18.0 and 19.0 call the list of notifications differently. */
function notificationOf(message) {
    return (message.notifications ?? message.notification_ids ?? []).find(isTick);
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
        return message.isWhatsappOurs ? false : super.isSquashed(...arguments);
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
    /** What the tick says: of a failure and of what waits, the reason as well. */
    get whatsappTickTitle() {
        const notification = notificationOf(this.message);
        const words = [notification?.statusTitle, notification?.failure_reason];
        return notification ? words.filter(Boolean).join(". ") : undefined;
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
