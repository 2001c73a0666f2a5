/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {onWillUnmount, useState} from "@odoo/owl";
import {Composer} from "@mail/core/common/composer";
import {Thread} from "@mail/core/common/thread_model";
import {_t} from "@web/core/l10n/translation";
import {deserializeDateTime} from "@web/core/l10n/dates";
import {patch} from "@web/core/utils/patch";
import {useService} from "@web/core/utils/hooks";

const MINUTE = 60000;
const LOOK_AGAIN = MINUTE / 2;

patch(Thread.prototype, {
    /** Whether this is a conversation of WhatsApp, as the server told of its window. */
    get isWhatsapp() {
        return this.whatsapp_window_closes !== undefined;
    },
});

/** The 24 hours in which free text is possible, over the text field. */
patch(Composer.prototype, {
    setup() {
        super.setup();
        this.whatsappClock = useState({now: Date.now()});
        this.whatsappAction = useService("action");
        const timer = setInterval(() => {
            this.whatsappClock.now = Date.now();
        }, LOOK_AGAIN);
        onWillUnmount(() => clearInterval(timer));
    },
    /** Null outside of WhatsApp, and while a message is edited. */
    get whatsappWindow() {
        const {composer} = this.props;
        const {thread, message} = composer;
        if (message || !thread?.isWhatsapp) {
            return null;
        }
        const closes = thread.whatsapp_window_closes;
        const left = closes
            ? deserializeDateTime(closes).toMillis() - this.whatsappClock.now
            : 0;
        const minutes = Math.max(0, Math.floor(left / MINUTE));
        return {
            off: thread.whatsapp_off,
            isOpen: left > 0,
            isNew: !closes,
            isShort: left < 120 * MINUTE,
            left: _t("Free text for %(hours)s h %(minutes)s min", {
                hours: Math.floor(minutes / 60),
                minutes: minutes % 60,
            }),
        };
    },
    whatsappSendTemplate() {
        this.whatsappAction.doAction(
            "mail_gateway_whatsapp_queue.action_whatsapp_send_template",
            {
                additionalContext: {
                    default_channel_id: this.props.composer.thread.id,
                },
            }
        );
    },
});
