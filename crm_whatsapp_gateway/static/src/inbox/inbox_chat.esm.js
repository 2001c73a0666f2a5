/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import * as hooks from "@mail/utils/common/hooks";
import {Component, useRef, useState, useSubEnv} from "@odoo/owl";
import {registerThreadAction, useThreadActions} from "@mail/core/common/thread_actions";
import {Composer} from "@mail/core/common/composer";
import {GO_ON, SHORTCUTS, keyboard, withKey} from "./shortcuts.esm";
import {Thread} from "@mail/core/common/thread";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";

const IS_19 = Boolean(registerThreadAction);
const PANEL = IS_19 ? "actionPanelComponent" : "component";
// Of the actions of Discuss, those that a salesperson seldom needs: they stay there
const LEFT_OUT = ["member-list", "notification-settings", "pinned-messages"];
const ROOM_FOR_BOTH = 640; // pixels: the chat and a panel

/** Tells the inbox when what was typed is on its way. */
class InboxComposer extends Composer {
    sendMessage() {
        const sending = super.sendMessage(...arguments);
        this.env.services["crm_whatsapp_gateway.inbox"].sending = sending;
        return sending;
    }
}

/** The chat beside the list of conversations, made of Discuss's own parts. */
export class InboxChat extends Component {
    static template = "crm_whatsapp_gateway.InboxChat";
    static components = {Composer: InboxComposer, Thread};
    static props = {};

    setup() {
        this.store = useState(useService("mail.store"));
        this.ui = useState(useService("ui"));
        this.inbox = useService("crm_whatsapp_gateway.inbox");
        this.queue = useState(this.inbox.queue.state);
        this.shortcuts = SHORTCUTS;
        this.keys = keyboard();
        this.withKey = withKey;
        this.root = useRef("root");
        this.state = useState({jumpThreadPresent: 0});
        this.isDiscussContent = true; // as 19.0 names it: leaves out what is elsewhere
        this.messageHighlight = (
            hooks.useMessageScrolling ?? hooks.useMessageHighlight
        )();
        // what 19.0 keeps in the composer itself
        this.editing = {
            messageEdition: hooks.useMessageEdition?.(),
            messageToReplyTo: hooks.useMessageToReplyTo?.(),
        };
        useSubEnv({inDiscussApp: true, messageHighlight: this.messageHighlight});
        this.threadActions = useThreadActions({thread: () => this.thread});
    }

    get isOpen() {
        return Boolean(this.store.whatsapp_inbox_thread);
    }

    /**
     * What is open, or was: actions of other addons ask the server first and look at
     * the conversation afterwards, when it may have been hidden.
     */
    get thread() {
        this.former = this.store.whatsapp_inbox_thread ?? this.former;
        return this.former;
    }

    /** Nothing is left to do here: the next customer is the natural step. */
    get isAnswered() {
        return !this.isOpen || this.thread.whatsapp_state !== "open";
    }

    get goOnTitle() {
        return _t("Go to the next customer who waits (%s also sends)", GO_ON);
    }

    get actions() {
        const {quick, other, group} = this.threadActions.partition;
        return [...group.flat(), ...other, ...quick].filter(
            ({id}) => !LEFT_OUT.includes(id)
        );
    }

    select(action, ev) {
        return IS_19 ? action.onSelected(ev) : action.onSelect();
    }

    get panel() {
        const action = this.threadActions.activeAction;
        if (!action?.[`${PANEL}Condition`]) {
            return null;
        }
        return {
            Component: action[PANEL],
            props: {...action[`${PANEL}Props`], thread: this.thread},
            outerClass: action.panelOuterClass,
        };
    }

    /** Where there is no room for both, the panel covers the chat. */
    get isCovered() {
        return Boolean(this.panel) && this.root.el?.clientWidth < ROOM_FOR_BOTH;
    }

    get threadProps() {
        const {jumpThreadPresent: jumpPresent} = this.state;
        return {
            thread: this.thread,
            jumpPresent,
            ...(IS_19 ? {} : this.editing),
        };
    }

    get composerProps() {
        const {messageToReplyTo} = this.editing;
        return {
            composer: this.thread.composer,
            autofocus: 0,
            dropzoneRef: this.root,
            onPostCallback: () => this.state.jumpThreadPresent++,
            onDiscardCallback: () =>
                IS_19
                    ? (this.thread.composer.replyToMessage = undefined)
                    : messageToReplyTo.cancel(),
            ...(IS_19 ? {} : this.editing),
        };
    }
}
