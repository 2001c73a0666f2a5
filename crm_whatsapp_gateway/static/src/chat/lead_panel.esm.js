/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import * as threadActions from "@mail/core/common/thread_actions";
import {Component, onWillStart, onWillUpdateProps, useState} from "@odoo/owl";
import {ActionPanel} from "@mail/discuss/core/common/action_panel";
import {_t} from "@web/core/l10n/translation";
import {deserializeDate, formatDate} from "@web/core/l10n/dates";
import {formatMonetary} from "@web/views/fields/formatters";
import {useService} from "@web/core/utils/hooks";

const FIELDS = [
    "name",
    "stage_id",
    "user_id",
    "phone",
    "expected_revenue",
    "company_currency",
    "activity_summary",
    "activity_type_id",
    "activity_date_deadline",
    "activity_state",
    "whatsapp_match_reason",
    "whatsapp_assign_reason",
];

/** The lead beside the chat, and the way back to it. */
class LeadPanel extends Component {
    static template = "crm_whatsapp_gateway.LeadPanel";
    static components = {ActionPanel};
    static props = ["*"];

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.state = useState({lead: undefined});
        onWillStart(() => this.load(this.props.thread.whatsapp_lead));
        onWillUpdateProps(({thread}) => {
            if (thread.whatsapp_lead?.id !== this.state.lead?.id) {
                return this.load(thread.whatsapp_lead);
            }
        });
    }

    /** Read the lead as the user may; who may not still sees what the chat tells. */
    async load(known) {
        this.state.lead = undefined;
        if (known) {
            const leads = await this.orm.searchRead(
                "crm.lead",
                [["id", "=", known.id]],
                FIELDS,
                {context: {active_test: false}}
            );
            this.state.lead = leads[0];
        }
    }

    get known() {
        return this.props.thread.whatsapp_lead;
    }

    get lead() {
        return this.state.lead;
    }

    get revenue() {
        return formatMonetary(this.lead.expected_revenue, {
            currencyId: this.lead.company_currency?.[0],
        });
    }

    get nextActivity() {
        const {activity_summary: summary, activity_type_id: type} = this.lead;
        return summary || type?.[1] || "";
    }

    get nextActivityDate() {
        return formatDate(deserializeDate(this.lead.activity_date_deadline));
    }

    openLead() {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "crm.lead",
            res_id: this.known.id,
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
