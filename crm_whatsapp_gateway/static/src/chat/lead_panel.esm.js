/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import * as threadActions from "@mail/core/common/thread_actions";
import {ActionPanel} from "@mail/discuss/core/common/action_panel";
import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";

/** The lead beside the chat, and the way back to it. */
class LeadPanel extends Component {
    static template = "crm_whatsapp_gateway.LeadPanel";
    static components = {ActionPanel};
    static props = ["*"];

    setup() {
        this.action = useService("action");
    }

    get lead() {
        return this.props.thread.whatsapp_lead;
    }

    openLead() {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "crm.lead",
            res_id: this.lead.id,
            views: [[false, "form"]],
        });
    }
}

// "component" is the panel on 18.0, but would replace the button on 19.0
const PANEL = threadActions.registerThreadAction ? "actionPanelComponent" : "component";

threadActions.threadActionsRegistry.add("whatsapp-lead", {
    [PANEL]: LeadPanel,
    // 18.0 passes the component, 19.0 {owner, thread}: both have "thread"
    condition: ({thread, owner}) =>
        Boolean(thread?.whatsapp_lead) && !owner?.isDiscussSidebarChannelActions,
    panelOuterClass: "o-whatsapp-LeadPanel bg-inherit",
    icon: "fa fa-fw fa-star",
    iconLarge: "fa fa-fw fa-lg fa-star",
    name: _t("Lead"),
    sequence: 5,
    sequenceGroup: 5,
    toggle: true,
});
