/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {onMounted, onWillUnmount, reactive, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";

export const MINUTE = 60000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// One clock for all cards of a page
const clock = reactive({now: Date.now()});
let watchers = 0;
let timer = null;

function tick() {
    clock.now = Date.now();
}

/** Return the clock, {now} in milliseconds; the component follows it. */
export function useClock() {
    const state = useState(clock);
    onMounted(() => {
        if (!watchers++) {
            tick();
            timer = setInterval(tick, MINUTE / 2);
        }
    });
    onWillUnmount(() => {
        if (!--watchers) {
            clearInterval(timer);
        }
    });
    return state;
}

/** Say a time span as people do; the exact minute counts within a day only. */
export function inWords(milliseconds) {
    const span = Math.max(0, milliseconds);
    const minutes = Math.floor((span % HOUR) / MINUTE);
    if (span < HOUR) {
        return _t("%s min", minutes);
    }
    if (span < DAY) {
        return _t("%(hours)s h %(minutes)s min", {
            hours: Math.floor(span / HOUR),
            minutes,
        });
    }
    return _t("%s d", Math.floor(span / DAY));
}
