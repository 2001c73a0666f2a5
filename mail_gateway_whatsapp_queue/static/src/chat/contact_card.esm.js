/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {_t} from "@web/core/l10n/translation";
import {messageActionsRegistry} from "@mail/core/common/message_actions";

/** 18.0 passes the component of the message, 19.0 {message, owner}. */
function messageOf({message, props}) {
    return message ?? props.message;
}

async function saveContact(context) {
    const {services} = (context.owner ?? context).env;
    const id = messageOf(context).id;
    const action = await services.orm.call(
        "mail.message",
        "action_whatsapp_save_contact",
        [[id]]
    );
    await services.action.doAction(action);
}

messageActionsRegistry.add("whatsapp-save-contact", {
    condition: (context) => Boolean(messageOf(context).whatsapp_cards),
    icon: "fa fa-user-plus",
    title: _t("Save contact"),
    name: _t("Save contact"),
    onClick: saveContact,
    onSelected: saveContact,
    sequence: 15,
});
