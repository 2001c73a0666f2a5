/** @odoo-module **/
/* Copyright 2026 crm_whatsapp_gateway contributors
 * License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl). */

import {SuggestionService} from "@mail/core/common/suggestion_service";
import {patch} from "@web/core/utils/patch";

/** In a note one names colleagues; a customer is told of nobody. */
patch(SuggestionService.prototype, {
    getPartnerSuggestions(thread) {
        const partners = super.getPartnerSuggestions(...arguments);
        if (!thread?.isWhatsapp) {
            return partners;
        }
        const ids =
            (thread.composer.whatsapp_note && thread.whatsapp_mentionable) || [];
        return [...partners].filter(({id}) => ids.includes(id));
    },
});
