/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import "@mail_gateway/core/common/message_actions.esm";
import "@mail_gateway/core/common/thread_actions.esm";
import {_t} from "@web/core/l10n/translation";
import {messageActionsRegistry} from "@mail/core/common/message_actions";
import {threadActionsRegistry} from "@mail/core/common/thread_actions";

// OCA's ask, at each drawing, for what a salesperson may not read
for (const id of ["open-gw-new-partner", "open-gw-profile"]) {
    const action = threadActionsRegistry.get(id);
    threadActionsRegistry.add(
        id,
        {
            ...action,
            condition: (context) =>
                !context.thread?.isWhatsapp && action.condition(context),
        },
        {force: true}
    );
}

threadActionsRegistry.add("whatsapp-contact", {
    // 18.0 passes the component, 19.0 {owner, thread}: both have "thread"
    condition: ({thread, owner}) =>
        Boolean(thread?.isWhatsapp && !thread.whatsapp_off) &&
        !owner?.isDiscussSidebarChannelActions,
    icon: "fa fa-fw fa-address-book",
    iconLarge: "fa fa-fw fa-lg fa-address-book",
    name: _t("Contact"),
    async open({thread}) {
        const {action, orm} = thread.store.env.services;
        await action.doAction(
            await orm.call("discuss.channel", "action_whatsapp_contact", [[thread.id]])
        );
    },
    sequence: 18,
});

// What we wrote among ourselves belongs to no document
const link = messageActionsRegistry.get("link_gateway_to_thread");
messageActionsRegistry.add(
    "link_gateway_to_thread",
    {
        ...link,
        condition(context) {
            const message = context.message ?? context.props.message;
            const isNote = message.isNote ?? message.is_note;
            return (
                link.condition(context) && !isNote && message.message_type === "comment"
            );
        },
    },
    {force: true}
);
