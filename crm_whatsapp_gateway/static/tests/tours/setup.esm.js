// Copyright 2026 crm_whatsapp_gateway contributors
// License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import {registry} from "@web/core/registry";

const point = (words, state) =>
    `.o_whatsapp_check[data-state="${state}"]:contains("${words}")`;
const fill = (name, value) => ({
    content: `Type ${name}`,
    trigger: `.o_form_view [name="${name}"] input`,
    run: `edit ${value}`,
});
const fix = (words, state, label) => ({
    content: `Fix: ${label}`,
    trigger: `${point(words, state)} button[name="action_fix"]:contains("${label}")`,
    run: "click",
});

registry.category("web_tour.tours").add("crm_whatsapp_gateway.setup", {
    steps: () => [
        {
            content: "A new number",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            content: "It explains itself",
            trigger: ".alert-info:contains('Connect this number with Meta')",
        },
        fill("name", "Sales"),
        fill("token", "EAAtokenOfTheTour"),
        fill("whatsapp_from_phone", "+52 1 55 0000 0001"),
        fill("whatsapp_account_id", "20001"),
        fill("webhook_secret", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
        {
            content: "Save and test in one click",
            trigger: "button[name='action_whatsapp_test']",
            run: "click",
        },
        {trigger: point("Access token", "ok")},
        {trigger: point("It is the secret of the app Shop", "ok")},
        fix("This is the phone number", "bad", "Take the ID 10001"),
        {trigger: point("Messaging limit: TIER_2K", "ok")},
        fix("delivers to no app", "bad", "Let the account deliver to the app"),
        {trigger: point("The account delivers to the app Shop", "ok")},
        fix("delivers to another address", "bad", "Replace other.example.org"),
        {
            content: "Another address is not replaced without a question",
            trigger: ".modal:contains('Go on?') .modal-footer .btn-primary",
            run: "click",
        },
        {trigger: point("Meta delivers to this address", "ok")},
        fix("No template is known here", "warning", "Read them from Meta"),
        {trigger: point("1 of 1 are approved", "ok")},
        {
            content: "One point alone is tested again",
            trigger: `${point("Scheduled actions", "ok")} button[name="action_test"]`,
            run: "click",
        },
        {
            content: "Only the first delivery is missing",
            trigger:
                ".o_field_widget[name='whatsapp_setup_summary']:contains('13 of 14')",
        },
        {trigger: point("No delivery has come", "warning")},
        {
            content: "Back to the list, which shows it as well",
            trigger: ".o_back_button, .breadcrumb-item.o_back_button a",
            run: "click",
        },
        {
            trigger: ".o_data_row:contains('13 of 14')",
        },
    ],
});
