/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import * as threadActions from "@mail/core/common/thread_actions";
import {
    Component,
    onWillStart,
    onWillUpdateProps,
    status,
    useEffect,
    useState,
} from "@odoo/owl";
import {deserializeDate, formatDate} from "@web/core/l10n/dates";
import {ActionPanel} from "@mail/discuss/core/common/action_panel";
import {_t} from "@web/core/l10n/translation";
import {formatMonetary} from "@web/views/fields/formatters";
import {keepValues} from "@mail_gateway_whatsapp_queue/chat/refresh.esm";
import {useService} from "@web/core/utils/hooks";
import {x2ManyCommands} from "@web/core/orm_service";

const COLORS = {
    overdue: "text-danger",
    today: "text-warning",
    planned: "text-success",
};

/** The lead beside the chat: what matters of it, and what to do with it. */
class LeadPanel extends Component {
    static template = "crm_whatsapp_gateway.LeadPanel";
    static components = {ActionPanel};
    static props = ["*"];

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.store = useService("mail.store");
        this.ui = useService("ui");
        this.colors = COLORS;
        this.stageLabel = _t("Stage");
        // Odoo 19.0 closes a dialog once this has ended, so it returns nothing: a load
        // does not end if the chat is closed meanwhile
        this.reload = () => {
            this.load();
        };
        // "done" is the activity that is being completed
        this.state = useState({panel: undefined, done: false, feedback: ""});
        onWillStart(() => this.load());
        onWillUpdateProps(({thread}) => {
            if (thread.id !== this.props.thread.id) {
                return this.load(thread);
            }
        });
        // A colleague changed the lead
        useEffect(
            (known, isStale) => {
                const shown = JSON.stringify(this.panel?.whatsapp_lead);
                if (this.panel && (isStale || JSON.stringify(known) !== shown)) {
                    this.load();
                }
            },
            () => {
                const {thread} = this.props;
                return [thread.whatsapp_lead, thread.whatsapp_stale];
            }
        );
    }

    /** Read what the user may; False for who may not read the conversation any more. */
    async load(thread = this.props.thread) {
        if (status(this) === "destroyed") {
            return; // A dialog has closed after the chat
        }
        const panel = await this.orm.call("discuss.channel", "whatsapp_panel", [
            [thread.id],
        ]);
        Object.assign(this.state, {panel, done: false, feedback: ""});
        if (panel) {
            keepValues(thread, {whatsapp_lead: panel.whatsapp_lead});
        }
    }

    get panel() {
        return this.state.panel;
    }

    get known() {
        return this.panel.whatsapp_lead;
    }

    get lead() {
        return this.panel.lead;
    }

    get title() {
        return this.panel?.whatsapp_lead ? this.known.name : _t("No lead");
    }

    get revenue() {
        return formatMonetary(this.lead.revenue, {currencyId: this.lead.currency});
    }

    /** The date of an activity or an order. */
    date(record) {
        return formatDate(deserializeDate(record.date));
    }

    amount(order) {
        return formatMonetary(order.amount, {currencyId: order.currency});
    }

    // ------------------------------------------------------------ the lead

    async setStage(ev) {
        await this.orm.write("crm.lead", [this.lead.id], {
            stage_id: Number(ev.target.value),
        });
        await this.load();
    }

    /** Run a button of the lead's form as the form would. */
    runButton(type, name) {
        return this.action.doActionButton({
            type,
            name,
            resModel: "crm.lead",
            resId: this.lead.id,
            resIds: [this.lead.id],
            context: {},
            onClose: this.reload,
        });
    }

    win() {
        return this.runButton("object", "action_set_won_rainbowman");
    }

    lose() {
        return this.runButton("action", "crm.crm_lead_lost_action");
    }

    convert() {
        return this.runButton("action", "crm.action_crm_lead2opportunity_partner");
    }

    async quote() {
        await this.runButton("object", "action_sale_quotations_new");
        this.stepAside();
    }

    openLead() {
        return this.openRecord("crm.lead", this.known.id);
    }

    openOrder(order) {
        return this.openRecord("sale.order", order.id);
    }

    async openRecord(model, id) {
        await this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
        });
        this.stepAside();
    }

    /** On a phone the chat covers the page that was opened. */
    stepAside() {
        if (this.ui.isSmall) {
            this.props.thread.closeChatWindow();
        }
    }

    async writeToOtherNumber() {
        await this.action.doAction(
            await this.orm.call("discuss.channel", "action_whatsapp_other_number", [
                [this.props.thread.id],
            ])
        );
    }

    async makeLead() {
        await this.orm.call("discuss.channel", "action_create_lead", [
            [this.props.thread.id],
        ]);
        await this.load();
    }

    // ------------------------------------------------------------ activities

    /** The link calls; what WhatsApp asked for is then ready to be completed. */
    called() {
        const call = this.lead.activities.find(
            (activity) => activity.is_call && activity.can_be_done
        );
        if (call) {
            this.state.done = call.id;
        }
    }

    toggleDone(activity) {
        this.state.done = this.state.done === activity.id ? false : activity.id;
        this.state.feedback = "";
    }

    async complete(activity) {
        await this.orm.call("mail.activity", "action_feedback", [[activity.id]], {
            feedback: this.state.feedback,
        });
        await this.load();
    }

    async schedule() {
        await this.store.scheduleActivity("crm.lead", [this.lead.id]);
        await this.load();
    }

    // ------------------------------------------------------------ labels

    /** A label was chosen from the list: no key follows, and perhaps no "change". */
    onLabelInput(ev) {
        if (!ev.inputType || ev.inputType === "insertReplacementText") {
            return this.addLabel(ev);
        }
    }

    /** Add the label of that name, which is made if there is none. */
    async addLabel(ev) {
        const name = ev.target.value.trim();
        ev.target.value = "";
        if (name) {
            const [id] = await this.orm.call(
                "whatsapp.conversation.tag",
                "name_create",
                [name]
            );
            await this.writeLabels([x2ManyCommands.link(id)]);
        }
    }

    removeLabel(tag) {
        return this.writeLabels([x2ManyCommands.unlink(tag.id)]);
    }

    async writeLabels(commands) {
        await this.orm.write("whatsapp.conversation", [this.panel.conversation], {
            tag_ids: commands,
        });
        const {view} = this.env.services["crm_whatsapp_gateway.inbox"];
        await Promise.all([this.load(), view?.reload()]);
    }

    // ------------------------------------------------------------ colleagues

    openDialog(name) {
        return this.action.doAction(`crm_whatsapp_gateway.${name}`, {
            additionalContext: {default_channel_id: this.props.thread.id},
            onClose: this.reload,
        });
    }

    handOver() {
        return this.openDialog("action_whatsapp_hand_over");
    }

    invite() {
        return this.openDialog("action_whatsapp_invite");
    }
}

// "component" is the panel on 18.0, but would replace the button on 19.0
const PANEL = threadActions.registerThreadAction ? "actionPanelComponent" : "component";

threadActions.threadActionsRegistry.add("whatsapp-lead", {
    [PANEL]: LeadPanel,
    // 18.0 passes the component, 19.0 {owner, thread}: both have "thread"
    condition: ({thread, owner}) =>
        thread?.whatsapp_lead !== undefined && !owner?.isDiscussSidebarChannelActions,
    panelOuterClass: "o-whatsapp-LeadPanel bg-inherit",
    icon: "fa fa-fw fa-star",
    iconLarge: "fa fa-fw fa-lg fa-star",
    name: _t("Lead"),
    sequence: 5,
    // In the header of a chat window, too, beside "fold" and "close"
    sequenceQuick: 30,
    toggle: true,
});
