/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import "@mail/core/public_web/thread_model_patch";
import * as threadActions from "@mail/core/common/thread_actions";
import {OutOfFocusService} from "@mail/core/common/out_of_focus_service";
import {Thread} from "@mail/core/common/thread_model";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";

// Odoo 19.0 has no toasts for messages, unless the browser refuses its own
const HAS_TOASTS = !threadActions.registerThreadAction;
const TOGETHER = 5000; // milliseconds: what comes within belongs to one event
const LINES = 4;
const SHORT = 160; // characters of a line

/** The lines of a message without the link to the chat: the toast has a button. */
function linesOf(message) {
    const page = new DOMParser().parseFromString(message.body || "", "text/html");
    for (const link of page.querySelectorAll("a[href*='discuss.channel_']")) {
        link.remove();
    }
    for (const end of page.querySelectorAll("br, p, div, li")) {
        end.append("\n");
        end.after("\n");
    }
    const files = message.attachments ?? message.attachment_ids ?? [];
    return [
        ...page.body.textContent.split("\n").map((line) => line.trim()),
        ...files.map(({name}) => name),
    ].filter(Boolean);
}

/** Id of the conversation that somebody is told of, apart from the messages in it. */
function noticeOf(message) {
    if (message.message_type !== "user_notification") {
        return undefined;
    }
    const [, id] = String(message.body).match(/discuss\.channel_(\d+)/) ?? [];
    return id && Number(id);
}

/** Whether somebody is told of a conversation, with a link that opens it. */
export function isChatNotice(message) {
    return noticeOf(message) !== undefined;
}

patch(Thread.prototype, {
    /** Whether the user has the chat before them. */
    get isWhatsappShown() {
        return !document.hidden && Boolean(this.isDisplayed);
    },
    /** Whether the user sees without a toast that somebody wrote. */
    get isWhatsappSeen() {
        return this.isWhatsappShown;
    },
    /** Who left is told in words of ours, if at all. */
    get notifyOnLeave() {
        return super.notifyOnLeave && !this.isWhatsapp;
    },
    notifyMessageToUser(message) {
        return this.isWhatsapp && (message.isNotification || this.isWhatsappShown)
            ? undefined
            : super.notifyMessageToUser(...arguments);
    },
});

patch(OutOfFocusService.prototype, {
    setup(env) {
        super.setup(...arguments);
        this.env = env;
        this.whatsappToasts = new Map(); // Id of a conversation -> what is shown
    },
    async notify(message, thread) {
        const notice = noticeOf(message);
        const chat = thread ?? message.thread;
        if (!notice && !chat?.isWhatsapp) {
            return super.notify(...arguments);
        }
        const id = notice ?? chat.id;
        const shown = message.store.Thread.get({model: "discuss.channel", id});
        const isSeen = notice ? shown?.isWhatsappShown : shown?.isWhatsappSeen;
        if (isSeen) {
            return;
        }
        this.countInTitle(message);
        if (
            !notice &&
            (await this.hasServiceWorkInstalledAndPushSubscriptionActive())
        ) {
            return; // The browser tells it already
        }
        this.tellOfChat(id, {
            isNotice: Boolean(notice),
            lines: linesOf(message),
            title: notice ? message.subject : this.titleOf(message, chat),
        });
    },
    /** As Odoo 18.0 does by itself. */
    countInTitle({localId}) {
        if (this.contributingMessageLocalIds?.has(localId) === false) {
            this.contributingMessageLocalIds.add(localId);
            this.titleService.setCounters({discuss: ++this.counter});
        }
    },
    titleOf(message, chat) {
        const author = message.authorName ?? message.author?.name;
        const isColleague =
            message.author?.isInternalUser ?? message.author?.main_user_id;
        return isColleague && author
            ? _t("%(author)s, in the chat with %(customer)s", {
                  author,
                  customer: chat.displayName,
              })
            : chat.displayName;
    },
    /**
     * Tell of one event once: what is said of a conversation replaces what was said
     * of it before, and whose it became says more than a message.
     */
    tellOfChat(id, {isNotice, lines, title}) {
        const before = this.whatsappToasts.get(id);
        const isSameEvent = before && Date.now() - before.at < TOGETHER;
        if (isSameEvent && before.isNotice && !isNotice) {
            return;
        }
        const message = lines
            .slice(0, LINES)
            .map((line) => (line.length > SHORT ? `${line.slice(0, SHORT)}…` : line))
            .join("\n");
        if (this.canSendNativeNotification) {
            const sound = !isSameEvent;
            this.whatsappToasts.set(id, {at: Date.now(), close() {}, isNotice});
            this.sendNotification({message, sound, title, type: "info"});
            return;
        }
        if (!isSameEvent) {
            this._playSound();
        }
        if (HAS_TOASTS || isNotice) {
            before?.close();
            this.showToast(id, {isNotice, message, title});
        }
    },
    showToast(id, {isNotice, message, title}) {
        const toast = {at: Date.now(), isNotice};
        const close = this.notificationService.add(message, {
            autocloseDelay: 8000,
            buttons: [
                {
                    name: _t("Open the chat"),
                    onClick: () => {
                        close();
                        this.openChat(id);
                    },
                    primary: true,
                },
            ],
            className: "o-whatsapp-toast",
            title,
            type: "info",
        });
        toast.close = close;
        this.whatsappToasts.set(id, toast);
    },
    async openChat(id) {
        const {action, orm} = this.env.services;
        await action.doAction(
            await orm.call("discuss.channel", "action_open_whatsapp", [[id]])
        );
    },
});
