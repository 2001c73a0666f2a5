/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {Message} from "@mail/core/common/message";
import {Message as MessageModel} from "@mail/core/common/message_model";
import {patch} from "@web/core/utils/patch";

/** What Odoo draws in the colour of whoever looks, or of everybody else. */
const COLOURS = ["blue", "green"];

patch(MessageModel.prototype, {
    /**
     * Whether we wrote this message of a conversation, or the customer. Undefined
     * elsewhere; the server does not know yet what is being posted.
     */
    get isWhatsappOurs() {
        if (!this.thread?.isWhatsapp) {
            return undefined;
        }
        return this.isSelfAuthored || this.whatsapp_ours;
    },
    /** The company in one colour, the customer in the other, whoever looks. */
    get bubbleColor() {
        const color = super.bubbleColor;
        const ours = this.isWhatsappOurs;
        if (ours === undefined || !COLOURS.includes(color)) {
            return color;
        }
        return ours ? "green" : "blue";
    },
});

/** Not where a message stands alone, such as in a search. */
function hasSides({env, props}) {
    return (
        !env.messageCard &&
        !props.asCard &&
        Boolean(props.thread?.eq(props.message.thread)) &&
        props.message.isWhatsappOurs !== undefined
    );
}

patch(Message.prototype, {
    get isAlignedRight() {
        return hasSides(this)
            ? Boolean(this.props.message.isWhatsappOurs)
            : super.isAlignedRight;
    },
    get attClass() {
        return {
            ...super.attClass,
            "o-whatsapp-ours": hasSides(this) && this.props.message.isWhatsappOurs,
        };
    },
});
