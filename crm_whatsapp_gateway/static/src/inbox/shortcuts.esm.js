/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {_t} from "@web/core/l10n/translation";
import {isMacOS} from "@web/core/browser/feature_detection";

/** Buttons of the chat, and the letter that presses them together with Alt. */
export const SHORTCUTS = {
    "whatsapp-close": "l",
    "whatsapp-snooze": "z",
    "whatsapp-hand-over": "o",
};

/** As Odoo's own keys: on a Mac it is Control instead of Alt, and Command. */
const ALT = isMacOS() ? "Ctrl" : "Alt";
export const GO_ON = isMacOS() ? "⌘ + Enter" : "Ctrl + Enter";

export function combination(key) {
    return `${ALT} + ${key.toUpperCase()}`;
}

/** Add its key to the name of a button. */
export function withKey(name, key) {
    return key ? `${name} (${combination(key)})` : name;
}

/** What the keyboard does, as [key, words]. */
export function keyboard() {
    return [
        [GO_ON, _t("Send, and go to the next customer who waits")],
        [`${combination("↓")}, ${combination("↑")}`, _t("Up and down in the list")],
        [combination(SHORTCUTS["whatsapp-close"]), _t("Close the conversation")],
        [combination(SHORTCUTS["whatsapp-snooze"]), _t("Snooze the conversation")],
        [combination(SHORTCUTS["whatsapp-hand-over"]), _t("Hand over")],
        ["Esc", _t("Hide the chat")],
    ];
}
