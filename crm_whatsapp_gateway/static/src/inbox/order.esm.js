/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {Component, useState} from "@odoo/owl";
import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {_t} from "@web/core/l10n/translation";
import {user} from "@web/core/user";

const SETTING = "whatsapp_inbox_order";
// as the server sorts by them, see whatsapp_order
const ORDERS = {
    waiting: _t("Longest wait first"),
    closing: _t("Window closing first"),
    newest: _t("Newest first"),
};

/** Choose who comes first; each user has an own order. */
export class InboxOrder extends Component {
    static template = "crm_whatsapp_gateway.InboxOrder";
    static components = {Dropdown, DropdownItem};
    static props = {onChange: Function};

    setup() {
        this.orders = Object.entries(ORDERS);
        this.state = useState({order: user.settings[SETTING] || "waiting"});
    }

    get label() {
        return ORDERS[this.state.order];
    }

    async choose(order) {
        this.state.order = order;
        await user.setUserSettings(SETTING, order);
        await this.props.onChange();
    }
}
