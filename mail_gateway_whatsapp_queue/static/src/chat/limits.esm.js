/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {_t} from "@web/core/l10n/translation";
import {session} from "@web/session";

/** What WhatsApp takes, as the server knows it: see `composer_limits` in its tools. */
const LIMITS = session.whatsapp_limits;
const MB = 1024 * 1024;

/** Meta's name of a file's type, as `sendable_type` on the server; empty: unknown. */
function sendableType({name, type}) {
    const base = type.split(";")[0].trim().toLowerCase();
    const ending = "." + name.toLowerCase().split(".").pop();
    if (LIMITS.guessed.includes(base) && ending in LIMITS.endings) {
        return LIMITS.endings[ending];
    }
    return LIMITS.names[base] ?? base;
}

/** Why a file cannot be sent, in words; empty for what only the server can judge. */
export function whyNotFile(file) {
    const type = LIMITS && sendableType(file);
    if (!type) {
        return "";
    }
    let reason = "";
    if (!(type in LIMITS.types)) {
        reason = _t(
            "WhatsApp does not accept files of type %(type)s. Allowed are %(allowed)s.",
            {type, allowed: LIMITS.allowed}
        );
    } else if (!file.size) {
        reason = _t("The file is empty.");
    } else {
        const limit = LIMITS.types[type][1];
        if (limit && file.size > limit) {
            const shown = Math.max(file.size / MB, limit / MB + 0.1);
            reason = _t(
                "The file has %(size)s MB; WhatsApp accepts %(limit)s MB for this type.",
                {size: shown.toFixed(1), limit: Number((limit / MB).toPrecision(3))}
            );
        }
    }
    return (
        reason && _t("%(name)s cannot be sent: %(reason)s", {name: file.name, reason})
    );
}

/** As the server counts: what is one character for people may be two in a string. */
function lengthOf(text) {
    return [...text.trim()].length;
}

const NEAR = 0.9;

/**
 * How much of what WhatsApp takes is written: nothing while there is enough room.
 *
 * @param {String} text
 * @param {Array} attachments of the same message
 * @returns {Object|null} size, limit, isOver: it cannot be sent, isSplit: as two
 */
export function room(text, attachments) {
    if (!LIMITS) {
        return null;
    }
    const size = lengthOf(text);
    const isCaptioned = attachments.some(({mimetype, name}) => {
        const [kind] =
            LIMITS.types[sendableType({name: name ?? "", type: mimetype ?? ""})] ?? [];
        return LIMITS.captioned.includes(kind);
    });
    const limit = isCaptioned && size <= LIMITS.caption ? LIMITS.caption : LIMITS.text;
    const isSplit = isCaptioned && size > LIMITS.caption;
    if (size < NEAR * limit && !isSplit) {
        return null;
    }
    return {size, limit, isSplit, isOver: size > limit};
}
