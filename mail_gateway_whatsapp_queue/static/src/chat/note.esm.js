/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {Composer} from "@mail/core/common/composer";
import {Message} from "@mail/core/common/message";
import {Thread} from "@mail/core/common/thread";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";

/** 18.0 and 19.0 call it differently. */
function isNote(message) {
    return message.gateway_type === "whatsapp" && (message.isNote ?? message.is_note);
}

/**
 * Notes among colleagues. The conversation's composer keeps whether one is being
 * written: what is seen and what is sent can thus not differ.
 */
patch(Composer.prototype, {
    get whatsappNote() {
        return Boolean(this.whatsappWindow && this.props.composer.whatsapp_note);
    },
    /** Each side has its own draft: half a note must not become a message. */
    toggleWhatsappNote() {
        const {composer} = this.props;
        // 18.0 and 19.0 call it differently
        const TEXT = "composerText" in composer ? "composerText" : "text";
        const {text, attachments} = composer.whatsapp_other_draft ?? {};
        composer.whatsapp_other_draft = {
            text: composer[TEXT],
            attachments: [...composer.attachments],
        };
        composer[TEXT] = text ?? "";
        composer.attachments = attachments ?? [];
        composer.whatsapp_note = !composer.whatsapp_note;
        composer.autofocus++;
    },
    get placeholder() {
        if (this.whatsappNote) {
            return _t("Note to colleagues: the customer does not see it");
        }
        // there is no room on a phone
        if (!this.whatsappWindow || this.ui.isSmall) {
            return super.placeholder;
        }
        // 18.0 and 19.0 have another sign for them
        return _t("%(message)s (%(sign)s for quick answers)", {
            message: super.placeholder,
            sign: "composerText" in this.props.composer ? "::" : ":",
        });
    },
    /** Whatever is posted from here: text, files, GIFs, what was said. */
    _sendMessage(value, postData, ...others) {
        const isNote = this.whatsappNote || postData?.isNote;
        return super._sendMessage(value, {...postData, isNote}, ...others);
    },
    /** What Odoo keeps over a reload comes back as a message to the customer. */
    saveContent() {
        return this.whatsappNote ? undefined : super.saveContent();
    },
    restoreContent() {
        return this.whatsappNote ? undefined : super.restoreContent();
    },
    /** The customer would see that somebody types. */
    notifyIsTyping() {
        return this.whatsappNote ? undefined : super.notifyIsTyping(...arguments);
    },
});

patch(Message.prototype, {
    get isWhatsappNote() {
        return Boolean(isNote(this.message));
    },
});

patch(Thread.prototype, {
    getMessageClassName(message) {
        const name = super.getMessageClassName(...arguments);
        return isNote(message) ? `${name} o-whatsapp-note` : name;
    },
    isSquashed(message, previous) {
        return previous && isNote(message) !== isNote(previous)
            ? false
            : super.isSquashed(...arguments);
    },
});
