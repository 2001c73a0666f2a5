/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {Component} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";

const MENU = "crm_whatsapp_gateway.menu_whatsapp_inbox";

/** From anywhere to the inbox, with one click; for whoever has its menu. */
class InboxSystray extends Component {
    static template = "crm_whatsapp_gateway.InboxSystray";
    static props = {};

    setup() {
        this.menus = useService("menu");
    }

    get menu() {
        return this.menus.getAll().find(({xmlid}) => xmlid === MENU);
    }
}

registry.category("systray").add(
    "crm_whatsapp_gateway.inbox",
    {Component: InboxSystray},
    {sequence: 24} // at the right of Odoo's own messages
);
