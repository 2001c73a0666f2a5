/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import * as record from "@mail/core/common/record";
import {ChatWindow} from "@mail/core/common/chat_window_model";
import {Queue} from "./queue.esm";
import {RPCError} from "@web/core/network/rpc";
import {Store} from "@mail/core/common/store_service";
import {Thread} from "@mail/core/common/thread_model";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";
import {registry} from "@web/core/registry";

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
    post() {
        const posted = super.post(...arguments);
        const inbox = this.store.env.services["crm_whatsapp_gateway.inbox"];
        return inbox?.view && this.whatsapp_state ? inbox.expect(this, posted) : posted;
    },
});

patch(ChatWindow.prototype, {
    _onClose() {
        const res = super._onClose(...arguments);
        const inbox = this.store.env.services["crm_whatsapp_gateway.inbox"];
        if (inbox?.view && !inbox.hasRoom && this.thread?.id === inbox.wanted) {
            inbox.forget();
        }
        return res;
    },
});

/** Return the id of the channel whose conversation a record of the inbox is. */
export function channelOf(record) {
    const channel = record.data.channel_id;
    return channel && (channel.id ?? channel[0]); // 19.0 gives an object, 18.0 a pair
}

/** Whether something was begun in a text field that is not sent yet. */
export function hasDraft(composer) {
    // 18.0 and 19.0 call the text differently
    const text = composer.composerText ?? composer.text ?? "";
    return Boolean(text.trim() || composer.attachments.length);
}

const UNSEEN = ["odoo.exceptions.AccessError", "odoo.exceptions.MissingError"];

/** What the inbox and the chats know of each other; an id is that of a channel. */
class Inbox {
    constructor(services) {
        this.services = services;
        this.view = null;
        this.wanted = null;
        // ids above and below what is open, which may move as it is answered
        this.around = {above: [], below: []};
        this.isAnswered = false;
        // the message that the text field is sending
        this.sending = null;
        this.queue = new Queue(this);
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
     * @param {Object} view with records(), reload(), turnPage() and address
     */
    attach(view) {
        this.view = view;
        if (this.thread) {
            view.address.set(this.thread.id); // the list after the cards
        }
        this.loaded();
    }

    /** The view has loaded its conversations again. */
    loaded() {
        if (!this.isAnswered) {
            this.place();
        }
        this.queue.look();
    }

    detach(view) {
        if (this.view === view) {
            this.view = null;
            // unless another view of the inbox takes its place, which it does at once
            Promise.resolve().then(() => this.view || this.hide());
        }
    }

    /** Ids of the channels in the order of the list. */
    get ids() {
        return this.view ? this.view.records().map(channelOf) : [];
    }

    /** Remember where stands what is open, before an answer moves it. */
    place() {
        const ids = this.ids;
        const place = ids.indexOf(this.wanted);
        this.around = {
            above: ids.slice(0, place < 0 ? ids.length : place).reverse(),
            below: ids.slice(place + 1),
        };
    }

    /** The conversation below (1) or above (-1) what is open, if there is one. */
    neighbour(step) {
        const ids = this.ids;
        const {above, below} = this.around;
        return (step > 0 ? below : above).find((id) => ids.includes(id));
    }

    // ------------------------------------------------------------- the chat

    /** Open a conversation as a click on it does; it lets the user in. */
    async open(id) {
        this.wanted = id;
        const known = this.threadOf(id);
        // 18.0 and 19.0 call the member differently
        if (known?.whatsapp_state && (known.selfMember ?? known.self_member_id)) {
            await this.show(known);
            return;
        }
        // nothing that is typed meanwhile may reach the former customer
        document.activeElement?.closest(".o_whatsapp_chat .o-mail-Composer") &&
            document.activeElement.blur();
        const action = await this.services.orm.call(
            "discuss.channel",
            "action_open_whatsapp",
            [[id]]
        );
        if (this.wanted === id) {
            await this.services.action.doAction(action);
        }
    }

    /** Open what the address of the page names. */
    async openAddress(id) {
        let isSeen = true;
        try {
            await this.open(id);
        } catch (error) {
            if (!(error instanceof RPCError && UNSEEN.includes(error.exceptionName))) {
                throw error;
            }
            isSeen = false;
        }
        if (this.wanted !== id || (isSeen && this.threadOf(id)?.whatsapp_state)) {
            return; // another one meanwhile, or it is there and of WhatsApp
        }
        this.hide();
        this.services.notification.add(
            _t(
                "You cannot see this conversation: a colleague has it, or it is gone. Ask your colleague to invite you or to hand it over."
            ),
            {type: "warning", sticky: true}
        );
    }

    /** Show a conversation: beside the list, else as a window. */
    async show(thread) {
        this.wanted = thread.id;
        if (this.view) {
            this.place();
            this.isAnswered = false;
            this.queue.pass(thread.id);
            this.view.address.set(thread.id);
        }
        if (!this.hasRoom) {
            await thread.open({focus: true});
            return;
        }
        await this.store.ChatWindow.get({thread})?.close();
        thread.composer.autofocus++;
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

    /** Nothing is open any more. */
    forget() {
        this.wanted = null;
        this.view?.address.set(null);
    }

    hide() {
        const {wanted} = this;
        this.forget();
        this.store.whatsapp_inbox_thread = undefined;
        if (this.view && !this.hasRoom) {
            this.threadOf(wanted)?.closeChatWindow();
        }
    }

    focus() {
        if (this.thread) {
            this.thread.composer.autofocus++;
        }
    }

    /** Go to the conversation below (1) or above (-1); the former one is put away. */
    async go(step) {
        let id = this.neighbour(step);
        if (!id && (await this.view?.turnPage(step))) {
            id = this.ids.at(step > 0 ? 0 : -1);
        }
        if (id) {
            await this.replace(id);
        }
    }

    /**
     * Send what stands in the text field, then go to the next customer who waits.
     *
     * @param {Element} target where the key was pressed; in the text field, the
     *  composer itself sends
     */
    async sendAndGoOn(target) {
        if (target.closest(".o-mail-Composer")) {
            await this.sending;
            if (this.thread && hasDraft(this.thread.composer)) {
                return; // not sent: a file is on its way, an answer was chosen ...
            }
        }
        await this.goOn();
    }

    /** Go to the next customer who waits. */
    async goOn() {
        const next = await this.queue.next();
        if (next) {
            await this.replace(next.id);
        } else {
            this.services.notification.add(_t("Nobody else is waiting."), {
                type: "info",
            });
        }
    }

    /** Open a conversation instead of the one that is open. */
    async replace(id) {
        const former = this.threadOf(this.wanted);
        await this.open(id);
        if (!this.hasRoom && former?.id !== id) {
            await former?.closeChatWindow();
        }
    }

    /**
     * Follow an answer until it has arrived.
     *
     * @param {Thread} thread
     * @param {Promise} posted of the message, or of nothing if the server refused it
     */
    async expect(thread, posted) {
        this.isAnswered ||= thread.id === this.wanted;
        const message = await this.queue.expect(posted);
        if (!message && !thread.isDisplayed) {
            this.services.notification.add(
                _t("Your message to %s was not accepted.", thread.displayName),
                {
                    type: "danger",
                    sticky: true,
                    buttons: [
                        {
                            name: _t("Open the chat"),
                            onClick: () => this.open(thread.id),
                        },
                    ],
                }
            );
        }
        return message;
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
                this.focus();
            },
        });
    }

    async handOver(id) {
        await this.services.action.doAction(
            "crm_whatsapp_gateway.action_whatsapp_hand_over",
            {
                additionalContext: {default_channel_id: id},
                onClose: () => this.focus(),
            }
        );
    }

    /** A conversation is dealt with: who waits, or its neighbour, takes its place. */
    async leave(id) {
        if (this.thread?.id === id) {
            const next = await this.queue.next();
            const other = next?.id ?? this.neighbour(1) ?? this.neighbour(-1);
            if (other) {
                await this.open(other);
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
