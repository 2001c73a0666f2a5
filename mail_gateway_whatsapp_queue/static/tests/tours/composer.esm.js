/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");
const CHAT = ".o-mail-Discuss";
const COMPOSER = `${CHAT} .o-mail-Composer`;
const FIELD = `${COMPOSER} textarea.o-mail-Composer-input`;
const REFUSAL = `${CHAT} .o-whatsapp-Refusal`;
const ROOM = `${CHAT} .o-whatsapp-Room`;
const PATIENCE = 60000; // milliseconds for what the server has to answer first
const HISTORY = {
    content: "The conversation is there",
    trigger: `${CHAT} .o-mail-Message:contains('How much is it?')`,
    timeout: PATIENCE,
};

/** Choose a file, as by the button with the clip. */
function choose(name, type, content) {
    return {
        trigger: `${COMPOSER}:has(input[type='file'])`,
        run() {
            const files = new DataTransfer();
            files.items.add(new File([content], name, {type}));
            const input = this.anchor.querySelector("input[type='file']");
            input.files = files.files;
            input.dispatchEvent(new Event("change", {bubbles: true}));
        },
    };
}

/** Paste a text: to type thousands of letters takes too long. */
function paste(text) {
    return {
        trigger: FIELD,
        run() {
            this.anchor.focus();
            this.anchor.value = text;
            this.anchor.dispatchEvent(new InputEvent("input", {bubbles: true}));
        },
    };
}

tours.add("mail_gateway_whatsapp_queue.too_long", {
    steps: () => [
        HISTORY,
        paste("x".repeat(3000)),
        {
            content: "There is room, and nothing to count",
            trigger: `${CHAT}:not(:has(.o-whatsapp-Room))`,
        },
        paste("x".repeat(4000)),
        {trigger: `${ROOM}:contains('4000 of 4096 characters')`},
        paste("x".repeat(4097)),
        {trigger: `${ROOM}.text-danger:contains('4097 of 4096 characters')`},
        {trigger: FIELD, run: "press Enter"},
        {
            content: "Nothing is sent, and nothing is lost",
            trigger: `${FIELD}:value('${"x".repeat(4097)}')`,
        },
        {trigger: `${CHAT}:not(:has(.o-mail-Message:contains('xxxx')))`},
        choose("chair.png", "image/png", "not really"),
        paste("x".repeat(1000)),
        {trigger: `${ROOM}:contains('1000 of 1024 characters')`},
        paste("x".repeat(1025)),
        {
            content: "It can be sent, though not as a caption",
            trigger: `${ROOM}.text-muted:contains('1025 characters are too long for a caption')`,
        },
    ],
});

tours.add("mail_gateway_whatsapp_queue.wrong_file", {
    steps: () => [
        HISTORY,
        {trigger: FIELD, run: "edit The program"},
        choose("setup.exe", "application/x-msdownload", "MZ"),
        {
            content: "It is said at once, in words, where one writes",
            trigger: `${REFUSAL}:contains('setup.exe cannot be sent: WhatsApp does not accept files of type application/x-msdownload'):contains('PDF')`,
        },
        {trigger: `${COMPOSER}:not(:has(.o-mail-AttachmentCard))`},
        {trigger: `${FIELD}:value('The program')`},
        choose("huge.png", "image/png", new Uint8Array(5 * 1024 * 1024 + 1)),
        {
            trigger: `${REFUSAL}:contains('huge.png cannot be sent: The file has 5.1 MB; WhatsApp accepts 5 MB')`,
        },
        {trigger: `${REFUSAL} button`, run: "click"},
        {trigger: `${CHAT}:not(:has(.o-whatsapp-Refusal))`},
        {
            content: "Colleagues may get such a file with a note",
            trigger: ".o-whatsapp-Window button:contains('Note')",
            run: "click",
        },
        choose("setup.exe", "application/x-msdownload", "MZ"),
        {trigger: `${COMPOSER} .o-mail-AttachmentCard:contains('setup.exe')`},
    ],
});

tours.add("mail_gateway_whatsapp_queue.refused", {
    steps: () => [
        HISTORY,
        {
            content: "Only the server can tell that this is no picture",
            trigger: FIELD,
            run: "edit Our chair",
        },
        choose("chair.webp", "image/webp", "RIFF....WEBPVP8 nothing"),
        {
            trigger: `${COMPOSER} .o-mail-AttachmentList:not(:has([title='Uploading']))`,
            timeout: PATIENCE,
        },
        {trigger: FIELD, run: "press Enter"},
        {
            trigger: `${REFUSAL}:contains('chair.webp cannot be sent')`,
            timeout: PATIENCE,
        },
        {
            content: "Text and file are back, and nothing stands in the chat",
            trigger: `${FIELD}:value('Our chair')`,
        },
        {trigger: `${COMPOSER} .o-mail-AttachmentList [title='chair.webp']`},
        {trigger: `${CHAT}:not(:has(.o-mail-Message:contains('Our chair')))`},
        {
            content: "Without the file it leaves; on 18.0 a menu removes it",
            trigger: `${COMPOSER} .o-mail-AttachmentList`,
            run() {
                this.anchor
                    .querySelector("[title='Remove'], [title='Actions']")
                    .click();
            },
        },
        {
            trigger: `.o-dropdown--menu .dropdown-item:contains('Remove'), ${COMPOSER}:not(:has(.o-mail-AttachmentList))`,
            run() {
                if (this.anchor.matches(".dropdown-item")) {
                    this.anchor.click();
                }
            },
        },
        {trigger: `${COMPOSER}:not(:has(.o-mail-AttachmentList))`},
        {trigger: FIELD, run: "press Enter"},
        {
            trigger: `${CHAT} .o-mail-Message:contains('Our chair') .fa-clock-o`,
            timeout: PATIENCE,
        },
        {trigger: `${CHAT}:not(:has(.o-whatsapp-Refusal))`},
    ],
});
