/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {reactive} from "@odoo/owl";

const WAITING = "waiting_since";

/**
 * Which of the customers who wait comes next.
 *
 * The server is asked, in the order and with the filters of the list, so that it does
 * not matter which page is shown, nor that what was answered has another place now.
 */
export class Queue {
    constructor(inbox) {
        this.inbox = inbox;
        // opened in this round, answered or not
        this.passed = new Set();
        // answers on their way: until they have arrived, the server says "waiting"
        this.posting = new Set();
        // next: {id, name} of a channel, or null
        this.state = reactive({next: null});
        this.looking = null;
    }

    /** Remember that a conversation had its turn, and look for the next one. */
    pass(id) {
        this.passed.add(id);
        this.look();
    }

    /**
     * Wait for an answer before the next look.
     *
     * @param {Promise} posted of the message, or of nothing if the server refused it
     */
    async expect(posted) {
        this.posting.add(posted);
        try {
            return await posted;
        } finally {
            this.posting.delete(posted);
            this.look();
        }
    }

    look() {
        const looking = this.find().then((next) => {
            if (looking === this.looking) {
                this.state.next = next;
            }
        });
        this.looking = looking;
    }

    /** Return who comes next, {id, name}, once that is known; or null. */
    async next() {
        let known = null;
        do {
            known = this.looking;
            await known;
        } while (known !== this.looking);
        return this.state.next;
    }

    async find() {
        await Promise.allSettled(this.posting);
        let next = await this.search(this.passed);
        if (!next && this.passed.size) {
            // the round is over: who was passed over has another turn
            this.passed.clear();
            this.passed.add(this.inbox.wanted);
            next = await this.search(this.passed);
        }
        return next;
    }

    /** The first who waits and is none of these. */
    async search(passed) {
        const {view, services} = this.inbox;
        if (!view?.isLoaded) {
            return null;
        }
        const {context, domain, resModel} = view.model.root;
        const without = [...passed].filter(Boolean);
        const found = await services.orm.silent.searchRead(
            resModel,
            [...domain, [WAITING, "!=", false], ["channel_id", "not in", without]],
            ["channel_id", "name"],
            {context, limit: 1, order: view.order}
        );
        return found.length ? {id: found[0].channel_id[0], name: found[0].name} : null;
    }
}
