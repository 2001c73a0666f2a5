/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {onMounted, onWillUnmount} from "@odoo/owl";
import {useService} from "@web/core/utils/hooks";
import {KanbanController} from "@web/views/kanban/kanban_controller";
import {ListController} from "@web/views/list/list_controller";
import {kanbanView} from "@web/views/kanban/kanban_view";
import {listView} from "@web/views/list/list_view";
import {registry} from "@web/core/registry";
import {useDebounced} from "@web/core/utils/timing";

const CHANNEL = "crm_whatsapp_gateway/inbox";
// Spread over a second, so that a whole team does not ask at once
const DELAY = 500 + Math.floor(Math.random() * 1000);

/** Reload a view when a message came or went, unless nobody looks at it. */
function useLiveInbox(controller) {
    const bus = useService("bus_service");
    let stale = false;
    const reload = useDebounced(() => controller.model.load(), DELAY);
    const onMessage = () => {
        stale = document.hidden;
        if (!stale) {
            reload();
        }
    };
    const onVisible = () => {
        if (stale && !document.hidden) {
            stale = false;
            reload();
        }
    };
    onMounted(() => {
        bus.subscribe(CHANNEL, onMessage);
        document.addEventListener("visibilitychange", onVisible);
    });
    onWillUnmount(() => {
        bus.unsubscribe(CHANNEL, onMessage);
        document.removeEventListener("visibilitychange", onVisible);
    });
}

const live = (Controller) =>
    class extends Controller {
        setup() {
            super.setup();
            useLiveInbox(this);
        }
    };

const views = registry.category("views");
views.add("crm_whatsapp_gateway_inbox_kanban", {
    ...kanbanView,
    Controller: live(KanbanController),
});
views.add("crm_whatsapp_gateway_inbox_list", {
    ...listView,
    Controller: live(ListController),
});
