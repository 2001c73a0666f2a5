/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {Component, onWillStart, useEffect, useRef, useState} from "@odoo/owl";
import {useAutofocus, useService} from "@web/core/utils/hooks";
import {CharField} from "@web/views/fields/char/char_field";
import {_t} from "@web/core/l10n/translation";
import {hasTouch} from "@web/core/browser/feature_detection";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";
import {useDebounced} from "@web/core/utils/timing";

const WAIT = 200;

/** Go on to what is still to be filled, else to the button that sends. */
function goOn(element) {
    const dialog = element.closest(".modal-content");
    const inputs = [...(dialog?.querySelectorAll(".o_whatsapp_values input") || [])];
    const empty = inputs.find((input) => !input.value);
    (empty || dialog?.querySelector("button[name='action_send']"))?.focus();
}

/** Templates as a list that is searched: one click or Enter chooses. */
export class TemplateField extends Component {
    static template = "mail_gateway_whatsapp_queue.TemplateField";
    static props = {...standardFieldProps};

    setup() {
        this.orm = useService("orm");
        this.input = useAutofocus({refName: "input"});
        this.list = useRef("list");
        this.label = _t("Search a template");
        this.foreign = _t("Not the customer's language");
        this.state = useState({query: "", found: [], index: 0});
        this.search = useDebounced(() => this.load(), WAIT);
        onWillStart(() => this.load());
        useEffect(
            (index) => {
                const options = this.list.el?.querySelectorAll("[role='option']") || [];
                options[index]?.scrollIntoView({block: "nearest"});
            },
            () => [this.state.index]
        );
    }
    get chosenId() {
        const chosen = this.props.record.data[this.props.name];
        return chosen && (chosen.id ?? chosen[0]); // 19.0 gives an object, 18.0 a pair
    }
    optionId(index) {
        return `${this.props.id || this.props.name}_${index}`;
    }
    /** The choice that a screen reader reads while the arrow keys go through them. */
    get activeId() {
        return this.state.found.length ? this.optionId(this.state.index) : undefined;
    }
    async find(query) {
        const {channel_id: channel} = this.props.record.data;
        return this.orm.call("whatsapp.send.template", "choices", [
            channel.id ?? channel[0],
            query,
        ]);
    }
    async load() {
        const {query} = this.state;
        this.searched = query;
        const found = await this.find(query);
        if (query === this.state.query) {
            Object.assign(this.state, {found, index: 0});
        }
    }
    onInput(ev) {
        this.state.query = ev.target.value;
        this.search();
    }
    async onKeydown(ev) {
        const last = this.state.found.length - 1;
        if (ev.key === "ArrowDown" || ev.key === "ArrowUp") {
            const step = ev.key === "ArrowDown" ? 1 : -1;
            this.state.index = Math.min(Math.max(this.state.index + step, 0), last);
            ev.preventDefault();
        } else if (ev.key === "Enter") {
            ev.preventDefault();
            if (this.searched !== this.state.query) {
                await this.load();
            }
            await this.choose(this.state.index);
        }
    }
    async choose(index) {
        const choice = this.state.found[index];
        if (!choice || choice.why_not) {
            return;
        }
        this.state.index = index;
        const {id, name} = choice;
        // 18.0 takes a pair, 19.0 an object: this is both
        const value = Object.assign([id, name], {id, display_name: name});
        await this.props.record.update({[this.props.name]: value});
        if (!hasTouch()) {
            // After the values of the template are drawn
            requestAnimationFrame(() => this.list.el && goOn(this.list.el));
        }
    }
}

registry.category("fields").add("whatsapp_template", {
    component: TemplateField,
    supportedTypes: ["many2one"],
    fieldDependencies: [{name: "channel_id", type: "many2one"}],
});

/** What stands for the variables, each under the words around it. */
export class TemplateValuesField extends Component {
    static template = "mail_gateway_whatsapp_queue.TemplateValuesField";
    static components = {CharField};
    static props = {...standardFieldProps};

    setup() {
        this.update = useDebounced((line, value) => line.update({value}), WAIT);
    }
    get lines() {
        return this.props.record.data[this.props.name].records;
    }
    /** The preview follows while one types. */
    onInput(line, ev) {
        this.update(line, ev.target.value);
    }
    onKeydown(ev) {
        if (ev.key === "Enter") {
            ev.preventDefault();
            goOn(ev.target);
        }
    }
}

registry.category("fields").add("whatsapp_template_values", {
    component: TemplateValuesField,
    supportedTypes: ["one2many"],
    relatedFields: () => [
        {name: "part", type: "selection", selection: [], readonly: false},
        {name: "name", type: "char", readonly: false},
        {name: "index", type: "integer", readonly: false},
        {name: "value", type: "char", readonly: false},
        {name: "label", type: "char"},
    ],
});
