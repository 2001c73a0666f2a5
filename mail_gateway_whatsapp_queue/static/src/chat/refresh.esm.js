/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {Thread} from "@mail/core/common/thread";
import {patch} from "@web/core/utils/patch";
import {useEffect} from "@odoo/owl";
import {useService} from "@web/core/utils/hooks";

function isSame(one, other) {
    return JSON.stringify(one) === JSON.stringify(other);
}

/** Keep what is shown of a conversation. Each change draws the chat anew. */
export function keepValues(thread, values) {
    for (const [name, value] of Object.entries({...values, whatsapp_stale: false})) {
        if (!isSame(thread[name] ?? false, value)) {
            thread[name] = value;
        }
    }
}

/** What the server says is outdated is read anew. */
patch(Thread.prototype, {
    setup() {
        super.setup();
        const orm = useService("orm");
        useEffect(
            (thread, isStale) => {
                if (isStale) {
                    orm.silent
                        .call("discuss.channel", "whatsapp_known", [[thread.id]])
                        .then((values) => values && keepValues(thread, values));
                }
            },
            () => [this.props.thread, this.props.thread.whatsapp_stale]
        );
    },
});
