/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {onMounted, onWillUnmount} from "@odoo/owl";
import {progressBarField} from "@web/views/fields/progress_bar/progress_bar_field";
import {registry} from "@web/core/registry";

const EVERY = 5000; // milliseconds

/** How far it is; it is read anew while something waits and somebody looks. */
class BatchProgress extends progressBarField.component {
    setup() {
        super.setup();
        onMounted(() => {
            this.interval = setInterval(() => this.look(), EVERY);
        });
        onWillUnmount(() => clearInterval(this.interval));
    }
    look() {
        const {record} = this.props;
        if (record.data.is_open && document.visibilityState === "visible") {
            record.load();
        }
    }
}

registry.category("fields").add("whatsapp_batch_progress", {
    ...progressBarField,
    component: BatchProgress,
    fieldDependencies: [{name: "is_open", type: "boolean"}],
});
