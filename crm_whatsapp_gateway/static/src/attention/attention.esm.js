/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {onMounted, onWillUnmount} from "@odoo/owl";
import {KanbanController} from "@web/views/kanban/kanban_controller";
import {kanbanView} from "@web/views/kanban/kanban_view";
import {registry} from "@web/core/registry";
import {useDebounced} from "@web/core/utils/timing";
import {useService} from "@web/core/utils/hooks";

const CHANNEL = "crm_whatsapp_gateway/inbox";
const DELAY = 1000 + Math.floor(Math.random() * 1000);
// Windows close and answers become late without any message
const MINUTE = 60000;

/** Count anew when a message came or went, and each minute, while somebody looks. */
class AttentionController extends KanbanController {
    setup() {
        super.setup();
        const bus = useService("bus_service");
        const count = () => !document.hidden && this.model.load();
        const soon = useDebounced(count, DELAY);
        let timer = null;
        onMounted(() => {
            bus.subscribe(CHANNEL, soon);
            document.addEventListener("visibilitychange", soon);
            timer = setInterval(count, MINUTE);
        });
        onWillUnmount(() => {
            bus.unsubscribe(CHANNEL, soon);
            document.removeEventListener("visibilitychange", soon);
            clearInterval(timer);
        });
    }
}

registry.category("views").add("crm_whatsapp_gateway_attention", {
    ...kanbanView,
    Controller: AttentionController,
});
