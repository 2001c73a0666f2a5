/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {Chatter} from "@mail/chatter/web_portal/chatter";
import {FormController} from "@web/views/form/form_controller";
import {ListController} from "@web/views/list/list_controller";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";
import {session} from "@web/session";

/** Models whose records can be sent, for who works with WhatsApp. */
const MODELS = new Set(session.whatsapp_documents);

/** Open the dialog that sends documents; their history is read anew behind it. */
async function sendDocuments(env, model, ids, onClose) {
    const {action, orm} = env.services;
    const dialog = await orm.call("whatsapp.send.document", "action_open_for", [
        model,
        ids,
    ]);
    await action.doAction(dialog, {
        onClose: () => {
            for (const id of ids.length === 1 ? ids : []) {
                env.bus.trigger("MAIL:RELOAD-THREAD", {model, id});
            }
            onClose?.();
        },
    });
}

function menuItem(callback, isAvailable) {
    return {
        isAvailable,
        sequence: 25,
        icon: "fa fa-whatsapp",
        description: _t("Send by WhatsApp"),
        callback,
    };
}

patch(FormController.prototype, {
    getStaticActionMenuItems() {
        const {root} = this.model;
        return {
            ...super.getStaticActionMenuItems(),
            whatsapp: menuItem(
                () =>
                    sendDocuments(this.env, root.resModel, [root.resId], () =>
                        root.load()
                    ),
                () => MODELS.has(root.resModel) && !root.isNew
            ),
        };
    },
});

patch(ListController.prototype, {
    getStaticActionMenuItems() {
        const {root} = this.model;
        return {
            ...super.getStaticActionMenuItems(),
            whatsapp: menuItem(
                async () =>
                    sendDocuments(
                        this.env,
                        root.resModel,
                        await root.getResIds(true),
                        () => root.load()
                    ),
                () => MODELS.has(root.resModel)
            ),
        };
    },
});

patch(Chatter.prototype, {
    get isWhatsappDocument() {
        return MODELS.has(this.props.threadModel);
    },
    async onClickWhatsapp() {
        const {threadModel: model} = this.props;
        // What is typed on the form is what is sent
        const saved = await this.props.saveRecord?.();
        if (saved === false || !this.props.threadId) {
            return;
        }
        await sendDocuments(this.env, model, [this.props.threadId], () =>
            this.reloadParentView?.()
        );
    },
});
