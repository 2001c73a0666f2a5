/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {room, whyNotFile} from "./limits.esm";
import {AttachmentUploader} from "@mail/core/common/attachment_uploader_hook";
import {Composer} from "@mail/core/common/composer";
import {RPCError} from "@web/core/network/rpc";
import {Store} from "@mail/core/common/store_service";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";

/** 18.0 and 19.0 call the text of a composer differently. */
function textField(composer) {
    return "composerText" in composer ? "composerText" : "text";
}

/** Whether a customer would get what is written: not so of a note, nor of an edit. */
function isForCustomer(composer) {
    return Boolean(
        composer?.thread?.isWhatsapp && !composer.message && !composer.whatsapp_note
    );
}

patch(AttachmentUploader.prototype, {
    /** What cannot be sent is said when it is chosen, dropped or pasted. */
    async uploadFile(file, ...others) {
        const why = isForCustomer(this.composer) ? whyNotFile(file) : "";
        if (why) {
            const told = this.composer.whatsapp_refusal ?? "";
            const isNew = told && !told.includes(why); // of several files
            this.composer.whatsapp_refusal = isNew ? `${told}\n${why}` : why;
            return;
        }
        return super.uploadFile(file, ...others);
    },
});

patch(Composer.prototype, {
    /** Null while there is enough room, in notes, and outside of WhatsApp. */
    get whatsappRoom() {
        const {composer} = this.props;
        return isForCustomer(composer)
            ? room(composer[textField(composer)], composer.attachments)
            : null;
    },
    get whatsappRoomWords() {
        const {size, limit, isSplit, isOver} = this.whatsappRoom;
        if (isOver) {
            return _t(
                "%(size)s of %(limit)s characters: please shorten the text, or send it in two messages.",
                {size, limit}
            );
        }
        return isSplit
            ? _t(
                  "%(size)s characters are too long for a caption: file and text leave as two messages.",
                  {size}
              )
            : _t("%(size)s of %(limit)s characters", {size, limit});
    },
    get isSendButtonDisabled() {
        return super.isSendButtonDisabled || Boolean(this.whatsappRoom?.isOver);
    },
    forgetWhatsappRefusal() {
        this.props.composer.whatsapp_refusal = "";
    },
    async processMessage() {
        if (!this.whatsappRoom?.isOver) {
            return super.processMessage(...arguments);
        }
    },
    clear() {
        super.clear();
        if (this.ref.el) {
            // Pasted and sent before the page was drawn: OWL sees no change to draw
            this.ref.el.value = this.props.composer[textField(this.props.composer)];
        }
    },
    /** What is refused comes back to where it was written. */
    _sendMessage(value, postData, extraData, ...others) {
        const {composer} = this.props;
        if (!isForCustomer(composer) && !composer.whatsapp_note) {
            return super._sendMessage(...arguments);
        }
        composer.whatsapp_refusal = "";
        const whatsapp_draft = {
            text: composer[textField(composer)],
            attachments: [...composer.attachments],
            isNote: Boolean(composer.whatsapp_note),
        };
        return super._sendMessage(
            value,
            postData,
            {...extraData, whatsapp_draft},
            ...others
        );
    },
});

/** Put a text and its files back, before what was written meanwhile. */
function restore(thread, {text, attachments, isNote}) {
    const {composer} = thread;
    const field = textField(composer);
    const join = (now) => [text, now].filter(Boolean).join("\n");
    if (Boolean(composer.whatsapp_note) === isNote) {
        composer[field] = join(composer[field]);
        composer.attachments = [...attachments, ...composer.attachments];
    } else {
        const draft = composer.whatsapp_other_draft ?? {text: "", attachments: []};
        composer.whatsapp_other_draft = {
            text: join(draft.text),
            attachments: [...attachments, ...draft.attachments],
        };
    }
    composer.autofocus++;
}

function reasonOf({exceptionName, data}) {
    return exceptionName?.startsWith("odoo.exceptions.")
        ? data.message
        : _t(
              "Odoo could not take the message. Please try again, or tell an administrator if it happens again."
          );
}

patch(Store.prototype, {
    /** Odoo shows a failed message without its reason, and loses it on reload. */
    async doMessagePost({whatsapp_draft: draft, ...params}, message) {
        if (!draft || !message) {
            return super.doMessagePost(params, message);
        }
        const {thread} = message;
        try {
            return await super.doMessagePost(params); // without a message it throws
        } catch (error) {
            if (!(error instanceof RPCError)) {
                // nobody knows whether it arrived: the person decides
                message.postFailRedo = () => {
                    message.postFailRedo = undefined;
                    this.doMessagePost(params, message);
                };
                return;
            }
            message.delete();
            // 18.0 and 19.0 call it differently
            const member = thread.selfMember ?? thread.self_member_id;
            if (member) {
                member.seen_message_id = thread.newestPersistentMessage;
            }
            restore(thread, draft);
            thread.composer.whatsapp_refusal = reasonOf(error);
        }
    },
});
