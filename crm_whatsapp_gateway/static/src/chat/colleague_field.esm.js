/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {RadioField, radioField} from "@web/views/fields/radio/radio_field";
import {getFieldDomain} from "@web/model/relational_model/utils";
import {registry} from "@web/core/registry";
import {useSpecialData} from "@web/views/fields/relational_utils";

let lastId = 0;

/** One click chooses a colleague; names are read with the context of the field. */
class ColleagueField extends RadioField {
    static props = {...RadioField.props, context: {type: Object, optional: true}};

    setup() {
        // instead of Odoo's, which asks without the context
        this.id = `whatsapp_colleague_${lastId++}`;
        this.type = "many2one";
        this.specialData = useSpecialData(
            async (orm, {context, domain, name, record}) => {
                const {records} = await orm.call(
                    record.fields[name].relation,
                    "web_search_read",
                    [],
                    {
                        context,
                        domain: getFieldDomain(record, name, domain),
                        specification: {display_name: {}},
                    }
                );
                return records.map((colleague) => [
                    colleague.id,
                    colleague.display_name,
                ]);
            }
        );
    }
}

registry.category("fields").add("whatsapp_colleague", {
    ...radioField,
    component: ColleagueField,
    supportedTypes: ["many2one"],
    extractProps: (info, dynamicInfo) => ({
        ...radioField.extractProps(info, dynamicInfo),
        context: dynamicInfo.context,
    }),
});
