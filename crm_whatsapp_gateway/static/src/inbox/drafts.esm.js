/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {Component, useState} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {channelOf, hasDraft} from "./inbox_service.esm";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {useService} from "@web/core/utils/hooks";

/** Whether Odoo keeps a text of a conversation whose chat is not loaded. */
function isKept(id) {
    const owner = new RegExp(`^Composer,.*discuss\\.channel AND ${id}\\b`);
    return Object.keys(browser.localStorage)
        .filter((key) => owner.test(key))
        .some((key) => {
            // 18.0 keeps {text}, 19.0 {composerHtml}: a text, or ["markup", text]
            const {text, composerHtml} = JSON.parse(browser.localStorage.getItem(key));
            const content = text ?? [composerHtml].flat().at(-1) ?? "";
            return Boolean(content.replace(/<[^>]*>/g, "").trim());
        });
}

/** Marks a conversation in which somebody began to write. */
class DraftWidget extends Component {
    static template = "crm_whatsapp_gateway.Draft";
    static props = {...standardWidgetProps};

    setup() {
        this.store = useState(useService("mail.store"));
    }

    get hasDraft() {
        const id = channelOf(this.props.record);
        const thread = this.store.Thread.get({model: "discuss.channel", id});
        const isOpen = thread?.eq(this.store.whatsapp_inbox_thread);
        return Boolean(
            (thread && hasDraft(thread.composer)) || (!isOpen && isKept(id))
        );
    }
}

registry.category("view_widgets").add("whatsapp_draft", {component: DraftWidget});
