/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {registry} from "@web/core/registry";

/** Open a conversation: beside the inbox, else as a window over the current page. */
async function openChat(env, {params}) {
    const {Thread} = env.services["mail.store"];
    const thread = await Thread.getOrFetch({
        model: "discuss.channel",
        id: params.channel_id,
    });
    if (thread) {
        await env.services["crm_whatsapp_gateway.inbox"].show(thread, params);
    }
}

registry.category("actions").add("crm_whatsapp_gateway.open_chat", openChat);
