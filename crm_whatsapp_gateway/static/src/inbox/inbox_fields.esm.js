/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {Component, useState} from "@odoo/owl";
import {MINUTE, inWords, useClock} from "./clock.esm";
import {ActivityListPopover} from "@mail/core/web/activity_list_popover";
import {_t} from "@web/core/l10n/translation";
import {channelOf} from "./inbox_service.esm";
import {formatDateTime} from "@web/core/l10n/dates";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";
import {usePopover} from "@web/core/popover/popover_hook";
import {useService} from "@web/core/utils/hooks";

const {DateTime} = luxon;
const CLOSING = 120 * MINUTE;
const CLOSES_NOW = 30 * MINUTE;

/** What the fields about a moment share. */
class MomentField extends Component {
    static props = {...standardFieldProps};

    setup() {
        this.clock = useClock();
    }

    get moment() {
        return this.props.record.data[this.props.name];
    }

    get exactly() {
        return formatDateTime(this.moment, {showSeconds: false});
    }
}

/** The hour of what is of today, the day of what is older. */
class TimeField extends MomentField {
    static template = "crm_whatsapp_gateway.Time";

    get short() {
        const days = Math.abs(
            this.moment
                .startOf("day")
                .diff(DateTime.fromMillis(this.clock.now).startOf("day"), "days").days
        );
        if (days < 1) {
            return this.moment.toLocaleString(DateTime.TIME_SIMPLE);
        }
        if (days < 7) {
            return this.moment.toLocaleString({
                weekday: "short",
                hour: "2-digit",
                minute: "2-digit",
            });
        }
        return this.moment.toLocaleString({
            day: "numeric",
            month: "short",
            year: days < 300 ? undefined : "numeric",
        });
    }
}

/** How long the customer has been waiting for an answer. */
class WaitingField extends MomentField {
    static template = "crm_whatsapp_gateway.Waiting";

    get since() {
        return inWords(this.clock.now - this.moment.toMillis());
    }

    get title() {
        return _t("The customer waits since %s", this.exactly);
    }
}

/** How long free text is possible. */
class WindowField extends MomentField {
    static template = "crm_whatsapp_gateway.Window";

    get milliseconds() {
        return this.moment ? this.moment.toMillis() - this.clock.now : 0;
    }

    get isOpen() {
        return this.milliseconds > 0;
    }

    get left() {
        return inWords(this.milliseconds);
    }

    get color() {
        if (this.milliseconds < CLOSES_NOW) {
            return "text-danger";
        }
        return this.milliseconds < CLOSING ? "text-warning" : "text-success";
    }

    get title() {
        return this.isOpen
            ? _t("Free text is possible until %s", this.exactly)
            : _t("Only templates are delivered until the customer writes again");
    }
}

/** What the user has not read; of a chat that is loaded, what is true this moment. */
class UnreadField extends Component {
    static template = "crm_whatsapp_gateway.Unread";
    static props = {...standardFieldProps};

    setup() {
        this.store = useState(useService("mail.store"));
    }

    get count() {
        const thread = this.store.Thread.get({
            model: "discuss.channel",
            id: channelOf(this.props.record),
        });
        // 18.0 and 19.0 call the member differently
        const member = thread?.selfMember ?? thread?.self_member_id;
        return (
            member?.message_unread_counter ?? this.props.record.data[this.props.name]
        );
    }

    get title() {
        return this.count === 1
            ? _t("1 unread message")
            : _t("%s unread messages", this.count);
    }
}

const DUE = {
    overdue: "text-danger",
    today: "text-warning",
    planned: "text-success",
};

/** The next activity of the lead, with Odoo's own list of activities. */
class LeadActivityField extends Component {
    static template = "crm_whatsapp_gateway.LeadActivity";
    static props = {...standardFieldProps};

    setup() {
        this.orm = useService("orm");
        this.popover = usePopover(ActivityListPopover, {position: "bottom-start"});
    }

    get leadId() {
        const lead = this.props.record.data[this.props.name];
        return lead && (lead.id ?? lead[0]); // 19.0 gives an object, 18.0 a pair
    }

    get state() {
        return this.props.record.data.activity_state;
    }

    get icon() {
        return this.state ? `fa-tasks ${DUE[this.state]}` : "fa-clock-o text-muted";
    }

    get title() {
        const {activity_summary: summary, activity_date: date} = this.props.record.data;
        if (!this.state) {
            return _t("No activity is planned");
        }
        const day = date ? date.toLocaleString(DateTime.DATE_MED) : "";
        return `${summary || _t("Next activity")} (${day})`;
    }

    async onClick(ev) {
        const target = ev.currentTarget;
        if (this.popover.isOpen) {
            this.popover.close();
            return;
        }
        const activityIds = await this.orm.search("mail.activity", [
            ["res_model", "=", "crm.lead"],
            ["res_id", "=", this.leadId],
        ]);
        this.popover.open(target, {
            activityIds,
            onActivityChanged: () => {
                this.popover.close();
                this.props.record.load();
            },
            resId: this.leadId,
            resModel: "crm.lead",
        });
    }
}

const fields = registry.category("fields");
for (const [name, component] of [
    ["whatsapp_time", TimeField],
    ["whatsapp_waiting", WaitingField],
    ["whatsapp_window", WindowField],
]) {
    fields.add(name, {component, supportedTypes: ["datetime"]});
}
fields.add("whatsapp_unread", {component: UnreadField, supportedTypes: ["integer"]});
fields.add("whatsapp_lead_activity", {
    component: LeadActivityField,
    supportedTypes: ["many2one"],
    fieldDependencies: [
        {name: "activity_state", type: "selection"},
        {name: "activity_summary", type: "char"},
        {name: "activity_date", type: "date"},
    ],
});
