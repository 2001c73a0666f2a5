/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import "@mail_gateway_whatsapp_queue/chat/open_chat.esm";
import {Component} from "@odoo/owl";
import {Composer} from "@mail/core/common/composer";
import {Dialog} from "@web/core/dialog/dialog";
import {patch} from "@web/core/utils/patch";
import {registry} from "@web/core/registry";

const actions = registry.category("actions");

/** Open a conversation: beside the inbox, else as a window over the current page. */
async function openChat(env, {params}) {
    const {Thread} = env.services["mail.store"];
    const thread = await Thread.getOrFetch({
        model: "discuss.channel",
        id: params.channel_id,
    });
    if (thread) {
        thread.whatsapp_given = false;
        await env.services["crm_whatsapp_gateway.inbox"].show(thread);
    }
}

/** Close conversations wherever they are open: a colleague has them now. */
async function closeChats(env, {params}) {
    const store = env.services["mail.store"];
    const inbox = env.services["crm_whatsapp_gateway.inbox"];
    for (const id of params.channel_ids) {
        const thread = store.Thread.get({model: "discuss.channel", id});
        if (!thread) {
            continue;
        }
        thread.whatsapp_given = true;
        if (thread.eq(store.discuss.thread)) {
            store.discuss.thread = undefined;
        }
        // not awaited: the dialog that gave it away closes first
        inbox.leave(id).then(() => inbox.focus());
    }
    env.services.notification.add(params.message, {type: params.type});
    return params.next;
}

/** The server refuses what is typed where one takes part no more, with an error. */
patch(Composer.prototype, {
    notifyIsTyping() {
        return this.thread?.whatsapp_given
            ? undefined
            : super.notifyIsTyping(...arguments);
    },
});

/** Which of a lead's conversations is meant: it wrote to several of our numbers. */
class ChooseChat extends Component {
    static template = "crm_whatsapp_gateway.ChooseChat";
    static components = {Dialog};
    static props = ["channels", "close"];

    choose(channel) {
        this.props.close();
        // the dialog is gone, so its service would not answer
        this.env.services.action.doActionButton({
            type: "object",
            name: "action_open_whatsapp",
            resModel: "discuss.channel",
            resId: channel.id,
        });
    }
}

function chooseChat(env, {params}) {
    env.services.dialog.add(ChooseChat, {channels: params.channels});
}

actions.add("mail_gateway_whatsapp_queue.open_chat", openChat, {force: true});
actions.add("crm_whatsapp_gateway.close_chat", closeChats);
actions.add("crm_whatsapp_gateway.choose_chat", chooseChat);
