/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {TemplateField} from "../template/template_fields.esm";
import {registry} from "@web/core/registry";
import {useEffect} from "@odoo/owl";

/** 19.0 gives an object, 18.0 a pair. */
function idOf(value) {
    return value && (value.id ?? value[0]);
}

/** The templates for a document: of the number, in the language, that were chosen. */
class DocumentTemplateField extends TemplateField {
    setup() {
        super.setup();
        let isFirst = true;
        useEffect(
            () => {
                if (!isFirst) {
                    this.load();
                }
                isFirst = false;
            },
            () => this.about
        );
    }
    get about() {
        const {recipient_id: recipient, gateway_id: gateway} = this.props.record.data;
        return [idOf(recipient), idOf(gateway)];
    }
    async find(query) {
        const [recipient, gateway] = this.about;
        if (!recipient || !gateway) {
            return [];
        }
        return this.orm.call("whatsapp.send.document", "choices", [
            recipient,
            gateway,
            query,
        ]);
    }
}

registry.category("fields").add("whatsapp_document_template", {
    component: DocumentTemplateField,
    supportedTypes: ["many2one"],
    fieldDependencies: [
        {name: "recipient_id", type: "many2one"},
        {name: "gateway_id", type: "many2one"},
    ],
});
