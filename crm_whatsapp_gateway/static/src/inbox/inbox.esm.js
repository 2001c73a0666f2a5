/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {
    Component,
    onMounted,
    onWillStart,
    onWillUnmount,
    status,
    toRaw,
    useEffect,
    useState,
} from "@odoo/owl";
import {useBus, useService} from "@web/core/utils/hooks";
import {InboxChat} from "./inbox_chat.esm";
import {InboxOrder} from "./order.esm";
import {KanbanController} from "@web/views/kanban/kanban_controller";
import {KanbanRecord} from "@web/views/kanban/kanban_record";
import {KanbanRenderer} from "@web/views/kanban/kanban_renderer";
import {ListController} from "@web/views/list/list_controller";
import {ListRenderer} from "@web/views/list/list_renderer";
import {channelOf} from "./inbox_service.esm";
import {kanbanView} from "@web/views/kanban/kanban_view";
import {listView} from "@web/views/list/list_view";
import {orderByToString} from "@web/search/utils/order_by";
import {registry} from "@web/core/registry";
import {useAddress} from "./address.esm";
import {useHotkey} from "@web/core/hotkeys/hotkey_hook";
import {user} from "@web/core/user";

const CHANNEL = "crm_whatsapp_gateway/inbox";
const SEES_ALL = "sales_team.group_sale_salesman_all_leads";
const SOON = 300; // milliseconds until the view is loaded again, at least
const SPREAD = 1200; // so that a whole team does not ask at once
const SELECTED = "o_whatsapp_selected";

/** Say what is missing, and what to do about it. */
class InboxEmpty extends Component {
    static template = "crm_whatsapp_gateway.InboxEmpty";
    static props = {};

    setup() {
        // no prop changes with the filters, so that 19.0 would not draw it anew
        useBus(this.env.searchModel, "update", () => this.render());
    }

    get isFiltered() {
        return this.env.searchModel.facets.length > 0;
    }

    showAll() {
        this.env.searchModel.clearQuery();
    }
}

/**
 * Load a view again when something happened that it may show.
 *
 * Not at once for each message, and not while nobody looks at it or somebody has
 * conversations selected: then as soon as that has ended.
 */
function useLiveInbox(controller) {
    const bus = useService("bus_service");
    let timer = null;
    let stale = false;
    let seesAll = true;

    onWillStart(async () => {
        seesAll = await user.hasGroup(SEES_ALL);
    });

    const isBusy = () => document.hidden || controller.isSelecting;
    const reload = () => {
        timer = null;
        stale = isBusy();
        if (!stale) {
            controller.reload();
        }
    };
    const later = () => {
        if (!timer) {
            timer = setTimeout(reload, SOON + Math.random() * SPREAD);
        }
    };
    const catchUp = () => {
        if (stale && !isBusy()) {
            later();
        }
    };
    const concerns = ({id, user: owner}, ids) =>
        seesAll || !owner || owner === user.userId || ids.includes(id);
    const onMessage = (conversations) => {
        const ids = controller.inbox.ids;
        if (conversations.some((conversation) => concerns(conversation, ids))) {
            later();
        }
    };

    // a colleague's conversation into which one was asked
    useBus(controller.env.bus, "discuss.channel/new_message", ({detail}) => {
        if (detail.channel.channel_type === "gateway") {
            later();
        }
    });
    onMounted(() => {
        bus.subscribe(CHANNEL, onMessage);
        document.addEventListener("visibilitychange", catchUp);
    });
    useEffect(catchUp, () => [controller.isSelecting]);
    onWillUnmount(() => {
        clearTimeout(timer);
        bus.unsubscribe(CHANNEL, onMessage);
        document.removeEventListener("visibilitychange", catchUp);
    });
}

/**
 * The keyboard of the inbox, which works while one writes, too. No letter alone does
 * anything: who clicks and writes at once would close a conversation with an "e".
 * The buttons of the chat have keys of their own.
 */
function useInboxKeys(inbox) {
    for (const [hotkey, step] of [
        ["alt+arrowdown", 1],
        ["alt+arrowup", -1],
    ]) {
        useHotkey(hotkey, () => inbox.go(step), {
            bypassEditableProtection: true,
            allowRepeat: true,
        });
    }
    useHotkey("control+enter", ({target}) => inbox.sendAndGoOn(target), {
        bypassEditableProtection: true,
    });
    useHotkey("escape", () => inbox.hide(), {
        isAvailable: () => Boolean(inbox.thread),
    });
}

const withChat = (Controller, template) =>
    class extends Controller {
        static template = template;
        static components = {
            ...Controller.components,
            InboxChat,
            InboxEmpty,
            InboxOrder,
        };

        setup() {
            super.setup();
            this.inbox = useService("crm_whatsapp_gateway.inbox");
            this.store = useState(useService("mail.store"));
            this.ui = useState(useService("ui"));
            this.watchLoading(toRaw(this.model));
            useLiveInbox(this);
            useInboxKeys(this.inbox);
            onMounted(() => this.inbox.attach(this));
            onWillUnmount(() => this.inbox.detach(this));
            this.address = useAddress(this, {
                open: (id) => this.inbox.openAddress(id),
                hide: () => this.inbox.hide(),
            });
            useEffect(
                () => {
                    this.rootRef.el
                        ?.querySelector(`.${SELECTED}`)
                        ?.scrollIntoView({block: "nearest"});
                },
                () => [this.store.whatsapp_inbox_thread?.id]
            );
        }

        get isLoaded() {
            return this.model.isReady !== false; // which 18.0 does not know
        }

        /** How the list is sorted, as the server takes it. */
        get order() {
            return orderByToString(this.model.root.orderBy);
        }

        records() {
            return this.isLoaded ? this.model.root.records : [];
        }

        /**
         * Load the page below (1) or above (-1) of what is shown.
         *
         * @returns {Promise<Boolean>} whether there is one
         */
        async turnPage(step) {
            while (this.loading) {
                await new Promise((resolve) => setTimeout(resolve, 20));
            }
            const {count, isGrouped, limit, offset} = this.model.root;
            const wanted = offset + step * limit;
            if (isGrouped || wanted < 0 || wanted >= count) {
                return false;
            }
            await this.model.root.load({limit, offset: wanted});
            return true;
        }

        get isSelecting() {
            return this.isLoaded && Boolean(this.model.root.selection?.length);
        }

        /**
         * Know whether data are on their way.
         *
         * What is loaded later wins: to load again as before while another filter, or
         * another page, is on its way would take it back.
         */
        watchLoading(model) {
            const load = model._loadData;
            this.loading = 0;
            this.reloadAfterwards = false;
            model._loadData = async (...args) => {
                this.loading++;
                try {
                    return await load.apply(model, args);
                } finally {
                    this.loading--;
                    setTimeout(() => this.onLoaded()); // when it is in place
                }
            };
        }

        onLoaded() {
            if (this.loading || status(this) !== "mounted") {
                return;
            }
            if (this.reloadAfterwards) {
                this.reloadAfterwards = false;
                this.reload();
            } else {
                this.inbox.loaded();
            }
        }

        /** Load again, and leave the keyboard where it was. */
        async reload() {
            if (this.loading) {
                this.reloadAfterwards = true;
                return;
            }
            const card = document.activeElement?.closest(".o_kanban_record");
            const focused =
                card && this.records().find(({id}) => id === card.dataset.id)?.resId;
            await this.model.load();
            if (focused) {
                const record = this.records().find(({resId}) => resId === focused);
                requestAnimationFrame(() => {
                    // Meanwhile the chat may have taken it
                    if (document.activeElement === document.body) {
                        this.rootRef.el
                            ?.querySelector(`[data-id='${record?.id}']`)
                            ?.focus();
                    }
                });
            }
        }

        get isEmpty() {
            const root = this.isLoaded && this.model.root;
            return Boolean(root) && !(root.isGrouped ? root.groups.length : root.count);
        }

        get hasChat() {
            if (this.ui.isSmall || !this.isLoaded) {
                return false;
            }
            const isOpen = Boolean(this.store.whatsapp_inbox_thread);
            return isOpen || (this.isColumn && !this.isEmpty);
        }

        /** One column of cards, beside which there is always room for a chat. */
        get isColumn() {
            return Controller === KanbanController && !this.model.root.isGrouped;
        }

        get className() {
            const classes = [super.className, "o_whatsapp_inbox"];
            if (this.hasChat) {
                classes.push("o_whatsapp_split");
            }
            if (this.hasChat && this.isColumn) {
                classes.push("o_whatsapp_column");
            }
            return classes.join(" ");
        }

        get scroller() {
            return this.rootRef.el.querySelector(
                this.hasChat ? ".o_renderer" : ".o_content"
            );
        }

        scrollTop() {
            this.scroller.scrollTo({top: 0});
        }

        onPageChangeScroll() {
            if (this.env.isSmall) {
                super.onPageChangeScroll();
            } else {
                this.scrollTop();
            }
        }
    };

/** Mark the conversation whose chat is shown. */
function isShown(component, record) {
    return component.mailStore.whatsapp_inbox_thread?.id === channelOf(record);
}

class InboxCard extends KanbanRecord {
    setup() {
        super.setup();
        this.mailStore = useState(useService("mail.store"));
    }

    getRecordClasses() {
        const classes = super.getRecordClasses();
        return isShown(this, this.props.record) ? `${classes} ${SELECTED}` : classes;
    }
}

class InboxKanbanRenderer extends KanbanRenderer {
    static components = {...KanbanRenderer.components, KanbanRecord: InboxCard};

    get showNoContentHelper() {
        return false; // the controller says more
    }
}

class InboxListRenderer extends ListRenderer {
    setup() {
        super.setup();
        this.mailStore = useState(useService("mail.store"));
    }

    getRowClass(record) {
        const classes = super.getRowClass(record);
        return isShown(this, record) ? `${classes} ${SELECTED}` : classes;
    }

    get showNoContentHelper() {
        return false;
    }
}

const views = registry.category("views");
views.add("crm_whatsapp_gateway_inbox_kanban", {
    ...kanbanView,
    Controller: withChat(KanbanController, "crm_whatsapp_gateway.InboxKanban"),
    Renderer: InboxKanbanRenderer,
});
views.add("crm_whatsapp_gateway_inbox_list", {
    ...listView,
    Controller: withChat(ListController, "crm_whatsapp_gateway.InboxList"),
    Renderer: InboxListRenderer,
});
