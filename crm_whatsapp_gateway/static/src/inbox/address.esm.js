/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {WebClient} from "@web/webclient/webclient";
import {browser} from "@web/core/browser/browser";
import {onMounted} from "@odoo/owl";
import {patch} from "@web/core/utils/patch";
import {router} from "@web/core/browser/router";
import {useSetupAction} from "@web/search/action_hook";

const KEY = "conversation"; // in the URL: /odoo/whatsapp?conversation=42

/**
 * The conversation that is open stands in the address of the page.
 *
 * So it survives a reload, the way back from another page, and being sent to a
 * colleague. The way back from a chat leads to the list, however many chats were
 * opened one after the other.
 */
class Address {
    /**
     * @param {Component} controller of a view
     * @param {Object} handlers
     * @param {Function} handlers.open called with the id that the address has
     * @param {Function} handlers.hide called if it has none any more
     */
    constructor(controller, handlers) {
        const {state} = controller.props;
        this.controller = controller;
        this.handlers = handlers;
        // from the page before, else from the URL
        this.id = state?.[KEY] ?? (Number(router.current[KEY]) || null);
        this.hasList = false; // one step back in the history
    }

    write() {
        this.controller.props.updateActionState({[KEY]: this.id ?? undefined});
    }

    /** Open what the address names. */
    read() {
        if (this.id) {
            this.handlers.open(this.id);
        } else {
            this.handlers.hide();
        }
    }

    /** Another conversation is open now, or none (null). */
    set(id) {
        if (id === this.id) {
            return;
        }
        if (!id && this.hasList) {
            browser.history.back();
            return;
        }
        if (this.id) {
            // instead of the former chat, not after it
            router.replaceState({[KEY]: id ?? undefined}, {sync: true});
        } else {
            this.hasList = true;
        }
        this.id = id;
        this.write();
        router.pushState({}, {sync: true}); // now: a step back may follow
    }

    /** The user went back or forth, or followed a link. */
    follow() {
        const id = Number(router.current[KEY]) || null;
        if (id === this.id) {
            return;
        }
        // a link does not change the address that the browser shows
        const isStep = new URL(browser.location).searchParams.get(KEY) === String(id);
        if (id && this.hasList && isStep) {
            // Of a chat that gave place to the one that is open: the menu of a phone,
            // on 19.0, leaves a step of its own. The list is before it.
            browser.history.back();
            return;
        }
        this.id = id;
        this.hasList = false;
        this.write();
        this.read();
    }
}

export function useAddress(controller, handlers) {
    const address = new Address(controller, handlers);
    address.write(); // before Odoo writes the address of a page without a chat
    onMounted(() => address.id && address.read());
    useSetupAction({getLocalState: () => ({[KEY]: address.id})});
    return address;
}

patch(WebClient.prototype, {
    /** If only the conversation differs, nothing needs to be loaded again. */
    loadRouterState() {
        const {action, "crm_whatsapp_gateway.inbox": inbox} = this.env.services;
        const here = action.currentController?.state;
        const wanted = router.current;
        if (
            inbox.view &&
            here?.action === wanted.action &&
            here.view_type === wanted.view_type &&
            here.actionStack.length === wanted.actionStack?.length
        ) {
            inbox.view.address.follow();
            return;
        }
        return super.loadRouterState(...arguments);
    },
});
