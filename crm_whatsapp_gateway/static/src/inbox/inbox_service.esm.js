/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import * as record from "@mail/core/common/record";
import {ChatWindow} from "@mail/core/common/chat_window_model";
import {Store} from "@mail/core/common/store_service";
import {Thread} from "@mail/core/common/thread_model";
import {_t} from "@web/core/l10n/translation";
import {browser} from "@web/core/browser/browser";
import {patch} from "@web/core/utils/patch";
import {registry} from "@web/core/registry";
import {router} from "@web/core/browser/router";

// 18.0 and 19.0 declare fields differently
const one = record.fields?.One ?? record.Record.one;

patch(Store.prototype, {
    setup() {
        super.setup(...arguments);
        /** The conversation that the inbox shows beside its list. */
        this.whatsapp_inbox_thread = one("Thread");
    },
});

patch(Thread.prototype, {
    computeIsDisplayed() {
        return super.computeIsDisplayed() || this.eq(this.store.whatsapp_inbox_thread);
    },
});

patch(ChatWindow.prototype, {
    _onClose() {
        const res = super._onClose(...arguments);
        const inbox = this.store.env.services["crm_whatsapp_gateway.inbox"];
        if (inbox && this.thread?.id === inbox.wanted) {
            inbox.forgetBack({undo: true});
        }
        return res;
    },
});

/** Return the id of the channel whose conversation a record of the inbox is. */
export function channelOf(record) {
    const channel = record.data.channel_id;
    return channel && (channel.id ?? channel[0]); // 19.0 gives an object, 18.0 a pair
}

/** What the inbox and the chats know of each other; an id is that of a channel. */
class Inbox {
    constructor(services) {
        this.services = services;
        this.view = null;
        this.wanted = null;
        this.onBack = null;
    }

    get store() {
        return this.services["mail.store"];
    }

    /** The conversation beside the list. */
    get thread() {
        return this.store.whatsapp_inbox_thread;
    }

    /** Whether a chat can be shown beside the list: not on a phone. */
    get hasRoom() {
        return Boolean(this.view) && !this.services.ui.isSmall;
    }

    threadOf(id) {
        return this.store.Thread.get({model: "discuss.channel", id});
    }

    /** Call a method of the conversation of a thread, which knows its id. */
    call(method, id, ...args) {
        const conversation = this.threadOf(id).whatsapp_conversation;
        return this.services.orm.call("whatsapp.conversation", method, [
            [conversation],
            ...args,
        ]);
    }

    // ------------------------------------------------------------- the view

    /**
     * A view with conversations is on the screen.
     *
     * @param {Object} view with records(), reload() and turnPage()
     */
    attach(view) {
        this.view = view;
    }

    detach(view) {
        if (this.view === view) {
            this.view = null;
            this.forgetBack();
            this.hide();
        }
    }

    /** Ids of the channels in the order of the list. */
    get ids() {
        return this.view ? this.view.records().map(channelOf) : [];
    }

    /** The conversation above or below another one in the list, if there is one. */
    neighbour(step, id = this.wanted) {
        const ids = this.ids;
        const place = ids.indexOf(id);
        return place < 0 ? ids.at(step > 0 ? 0 : -1) : ids[place + step];
    }

    // ------------------------------------------------------------- the chat

    /** Open a conversation as a click on it does; it lets the user in. */
    async open(id, {focus = true} = {}) {
        this.wanted = id;
        const action = await this.services.orm.call(
            "discuss.channel",
            "action_open_whatsapp",
            [[id]]
        );
        if (this.wanted === id) {
            Object.assign(action.params, {focus});
            await this.services.action.doAction(action);
        }
    }

    /** Show a conversation: beside the list, else as a window. */
    async show(thread, {focus = true} = {}) {
        this.wanted = thread.id;
        if (!this.hasRoom) {
            await thread.open({focus: true});
            if (this.view) {
                this.expectBack();
            }
            return;
        }
        await this.store.ChatWindow.get({thread})?.close();
        thread.composer.autofocus = focus ? thread.composer.autofocus + 1 : 0;
        thread.scrollUnread = true;
        this.store.whatsapp_inbox_thread = thread;
        this.read(thread); // not awaited: it would keep the page blocked
    }

    /** What is shown is read; a text field that has the focus has seen to it. */
    async read(thread) {
        await thread.isLoadedDeferred;
        if (thread.eq(this.thread) && !thread.composer.isFocused) {
            thread.markAsRead();
        }
    }

    /** On a phone, the back button leads from the chat to the list. */
    expectBack() {
        if (this.onBack) {
            return;
        }
        const {history, location} = browser;
        history.pushState(history.state, "", location.href);
        router.skipLoad = true; // the list is still there
        this.onBack = () => {
            this.forgetBack();
            this.threadOf(this.wanted)?.closeChatWindow();
        };
        browser.addEventListener("popstate", this.onBack);
    }

    /**
     * Nobody has to go back any more.
     *
     * @param {Boolean} undo whether the step in the history is to be taken back
     */
    forgetBack({undo = false} = {}) {
        if (!this.onBack) {
            return;
        }
        browser.removeEventListener("popstate", this.onBack);
        this.onBack = null;
        if (undo) {
            browser.history.back();
        } else {
            router.skipLoad = false;
        }
    }

    hide() {
        this.wanted = null;
        this.store.whatsapp_inbox_thread = undefined;
    }

    focus() {
        if (this.thread) {
            this.thread.composer.autofocus++;
        }
    }

    /** Go to the conversation below (1) or above (-1); the former one is put away. */
    async go(step, options) {
        const former = this.threadOf(this.wanted);
        let id = this.neighbour(step);
        if (!id && (await this.view?.turnPage(step))) {
            id = this.neighbour(step, null); // the first one, or the last
        }
        if (!id) {
            return;
        }
        await this.open(id, options);
        if (!this.hasRoom) {
            await former?.closeChatWindow();
        }
    }

    // ------------------------------------------------------------- its state

    async close(id) {
        await this.call("action_close", id);
        const remove = this.services.notification.add(_t("Conversation closed"), {
            type: "success",
            buttons: [
                {
                    name: _t("Undo"),
                    onClick: async () => {
                        remove();
                        await this.reopen(id);
                    },
                },
            ],
        });
        await this.leave(id);
    }

    async reopen(id) {
        await this.call("action_reopen", id);
        await this.view?.reload();
    }

    async snooze(id) {
        const action = await this.call("action_choose_snooze", id);
        await this.services.action.doAction(action, {
            // also called when the dialog was merely put away
            onClose: async () => {
                const [{state}] = await this.call("read", id, ["state"]);
                if (state === "snoozed") {
                    await this.leave(id);
                }
            },
        });
    }

    /** A conversation is dealt with: its neighbour takes its place. */
    async leave(id) {
        if (this.thread?.id === id) {
            const next = this.neighbour(1, id) ?? this.neighbour(-1, id);
            if (next && next !== id) {
                await this.open(next, {focus: false});
            } else {
                this.hide();
            }
        } else {
            await this.threadOf(id)?.closeChatWindow();
        }
        await this.view?.reload();
    }
}

registry.category("services").add("crm_whatsapp_gateway.inbox", {
    dependencies: ["action", "mail.store", "notification", "orm", "ui"],
    start: (env, services) => new Inbox(services),
});
