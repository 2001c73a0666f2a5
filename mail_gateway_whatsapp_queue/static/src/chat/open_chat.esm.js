/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {registry} from "@web/core/registry";

/** Open a conversation as a window over the current page. */
async function openChat(env, {params}) {
    const {Thread} = env.services["mail.store"];
    const thread = await Thread.getOrFetch({
        model: "discuss.channel",
        id: params.channel_id,
    });
    await thread?.open({focus: true});
}

registry.category("actions").add("mail_gateway_whatsapp_queue.open_chat", openChat);
