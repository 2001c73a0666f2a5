/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {Component, useState} from "@odoo/owl";
import {Thread} from "@mail/core/common/thread";
import {_t} from "@web/core/l10n/translation";
import {browser} from "@web/core/browser/browser";

const A_MOMENT = 2000; // milliseconds

/** The customer's number: to call, and to copy. */
class WhatsappPhone extends Component {
    static template = "crm_whatsapp_gateway.Phone";
    static props = {phone: String};

    setup() {
        this.state = useState({isCopied: false});
    }

    get link() {
        return `tel:${this.props.phone.replace(/[^+\d]/g, "")}`;
    }

    get copyTitle() {
        return this.state.isCopied ? _t("Copied") : _t("Copy the number");
    }

    async copy() {
        await browser.navigator.clipboard.writeText(this.props.phone);
        this.state.isCopied = true;
        browser.setTimeout(() => {
            this.state.isCopied = false;
        }, A_MOMENT);
    }
}

Object.assign(Thread.components, {WhatsappPhone});
