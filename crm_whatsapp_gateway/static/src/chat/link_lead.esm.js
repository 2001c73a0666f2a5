/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {_t} from "@web/core/l10n/translation";
import {threadActionsRegistry} from "@mail/core/common/thread_actions";

threadActionsRegistry.add("whatsapp-link-lead", {
    // 18.0 passes the component, 19.0 {owner, thread}: both have "thread"
    condition: ({thread, owner}) =>
        thread?.whatsapp_lead === false &&
        !thread.whatsapp_off &&
        !owner?.isDiscussSidebarChannelActions,
    icon: "fa fa-fw fa-link",
    iconLarge: "fa fa-fw fa-lg fa-link",
    name: _t("Link with a lead"),
    async open({thread}) {
        const {action, orm} = thread.store.env.services;
        await action.doAction(
            await orm.call("discuss.channel", "action_whatsapp_link_lead", [
                [thread.id],
            ])
        );
    },
    sequence: 6,
});
