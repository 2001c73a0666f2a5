# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Who may do what: the tables that ``test_rights`` holds the addon to.

The kinds of users, from left to right:

public    nobody who is logged in
portal    a customer with an account
plain     an employee without a group of sales or gateways, made a member all the same
owner     salesperson who has the lead of the conversation
mate      salesperson of the same team
stranger  salesperson of another team
leader    salesperson who leads the team
manager   sees all leads
gateway   OCA's user of gateways, of this number, no salesperson
clerk     OCA's user of gateways, of no number
foreign   salesperson of another company
system    administrator, who may change contacts
"""

KINDS = (
    "public portal plain owner mate stranger leader manager gateway clerk foreign"
    " system"
).split()

# r read (search, grouping and export find it too), w write, c create one (what of
# WhatsApp, tells TestNobodyGetsAround), u unlink.
# 'taken' belongs to the conversation that the owner has, 'free' to one that nobody
# of the team has. What a person who may write does write, OPEN says. Dialogs are the
# owner's.
RECORDS = """
discuss.channel:taken           -    -    c    rwc  c    c    c    rwc  rwc  c    c    rwcu
discuss.channel:free            -    -    c    rwc  rwc  c    rwc  rwc  rwc  c    c    rwcu
whatsapp.conversation:taken     -    -    -    rw   -    -    -    rw   rw   -    -    rw
whatsapp.conversation:free      -    -    -    rw   rw   -    rw   rw   rw   -    -    rw
discuss.channel.member:taken    c    c    c    rc   c    c    c    rc   rwcu c    c    rwcu
discuss.channel.member:free     c    c    c    rc   rc   c    rc   rc   rwcu c    c    rwcu
mail.message:taken              -    c    c    rwcu c    c    c    rwcu rwcu c    c    rwcu
mail.message:free               -    c    c    rwcu rwcu c    rwcu rwcu rwcu c    c    rwcu
mail.notification:taken         -    -    c    rc   c    c    c    rc   rc   c    c    rcu
mail.guest:taken                -    -    -    r    -    -    -    r    r    -    -    rwcu
mail.guest:free                 -    -    -    r    r    -    r    r    r    -    -    rwcu
mail.gateway                    -    -    -    r    r    r    r    r    r    r    -    rwcu
res.partner.gateway.channel     -    -    -    r    r    r    r    r    rwcu rwcu -    r
mail.whatsapp.template          -    -    r    r    r    r    r    r    r    r    -    rwcu
mail.whatsapp.template.variable -    -    r    r    r    r    r    r    r    r    -    rwcu
mail.whatsapp.template.button   -    -    r    r    r    r    r    r    r    r    -    rwcu
whatsapp.message.queue:taken    -    -    -    r    -    -    -    r    r    -    -    rwcu
whatsapp.message.queue:free     -    -    -    r    r    -    r    r    r    -    -    rwcu
whatsapp.message.attempt:taken  -    -    -    r    -    -    -    r    r    -    -    r
whatsapp.message.attempt:free   -    -    -    r    r    -    r    r    r    -    -    r
whatsapp.conversation.tag       -    -    -    rc   rc   rc   rc   rc   r    r    rc   rwcu
whatsapp.answer:taken           -    -    -    r    -    -    r    r    -    -    -    r
whatsapp.report:taken           -    -    -    r    -    -    r    r    -    -    -    r
whatsapp.assignment:taken       -    -    -    r    -    -    -    r    -    -    -    -
whatsapp.ad                     -    -    -    r    r    r    r    r    -    -    -    -
whatsapp.agent                  -    -    -    rw   rw   rw   rw   rw   -    -    -    -
whatsapp.attention              -    -    -    r    r    r    r    r    -    -    r    r
whatsapp.error                  -    -    r    r    r    r    r    r    r    r    r    rwcu
whatsapp.gateway.check          -    -    -    -    -    -    -    -    -    -    -    r
whatsapp.gateway.check.outcome  -    -    -    -    -    -    -    -    -    -    -    r
whatsapp.rate.limit             -    -    -    -    -    -    -    -    -    -    -    r
whatsapp.webhook.event          -    -    -    -    -    -    -    -    -    -    -    rwu
whatsapp.batch                  -    -    -    r    -    -    -    r    -    -    -    r
whatsapp.batch.line             -    -    -    r    -    -    -    r    -    -    -    r
whatsapp.send.document          -    -    -    rwcu c    c    c    c    c    c    c    c
whatsapp.send.document.recipient -   -    -    rwcu c    c    c    c    c    c    c    c
whatsapp.send.document.report   -    -    -    rwcu c    c    c    c    c    c    c    c
whatsapp.send.document.value    -    -    -    rwcu c    c    c    c    c    c    c    c
whatsapp.send.template          -    -    -    rwcu c    c    c    c    c    c    c    -
whatsapp.send.template.line     -    -    -    rwcu c    c    c    c    c    c    c    -
whatsapp.template.example       -    -    -    -    -    -    -    -    -    -    -    rwcu
whatsapp.template.library       -    -    -    -    -    -    -    -    -    -    -    c
whatsapp.hand.over              -    -    -    rwcu c    c    c    c    -    -    c    -
whatsapp.invite                 -    -    -    rwcu c    c    c    c    -    -    c    -
whatsapp.link.lead              -    -    -    rwcu c    c    c    c    -    -    c    -
whatsapp.snooze                 -    -    -    rwcu c    c    c    c    -    -    c    -
whatsapp.edit.message           -    -    -    rwcu c    c    c    c    c    c    c    -
mail.guest.manage               -    -    c    rwcu c    c    c    c    c    c    c    c
mail.message.gateway.link       -    -    c    rwcu c    c    c    c    c    c    c    c
mail.message.gateway.send       -    -    c    rwc  c    c    c    c    c    c    c    c
mail.compose.gateway.message    -    -    c    rwc  c    c    c    c    c    c    c    c
"""  # noqa: E501

# x: passes; -: AccessError, before anything is done. On the owner's conversation.
METHODS = """
calendar.event.action_whatsapp_send             - - - x x x x x x x x x
crm.lead.action_open_whatsapp                   - - - x - - - x - - - -
crm.lead.action_whatsapp_merge                  - - - x - - - x - - - -
crm.lead.message_subscribe                      - - - x - - - x - - - -
discuss.channel.action_ask_phone                - - - x - - - x x - - x
discuss.channel.action_create_lead              - - - x - - - x x - - x
discuss.channel.action_open_lead                - - - x - - - x x - - x
discuss.channel.action_open_whatsapp            - - - x - - - x x - - x
discuss.channel.action_unfollow                 - - - x - - - x x - - x
discuss.channel.action_whatsapp_contact         - - - x - - - x x - - x
discuss.channel.action_whatsapp_link_lead       - - - x - - - x x - - x
discuss.channel.action_whatsapp_other_number    - - - x - - - x - - - -
discuss.channel.message_post                    - - - x - - - x x - - x
discuss.channel.whatsapp_known                  - - - x - - - x x - - x
discuss.channel.whatsapp_panel                  - - - x - - - x x - - x
hr.employee.get_next_whatsapp_assignee          - - - - - - - - - - - -
mail.gateway.action_whatsapp_conversations      - - - x x x x x x x - x
mail.gateway.action_whatsapp_connect_copy       - - - - - - - - - - - x
mail.gateway.action_whatsapp_disconnect_copy    - - - - - - - - - - - x
mail.gateway.action_whatsapp_keep_apart         - - - - - - - - - - - x
mail.gateway.action_whatsapp_resume             - - - - - - - - - - - x
mail.gateway.action_whatsapp_share              - - - - - - - - - - - x
mail.gateway.action_whatsapp_test               - - - - - - - - - - - x
mail.gateway.button_import_whatsapp_template    - - - - - - - - - - - x
mail.gateway.copy_data                          - - - - - - - - - - - x
mail.gateway.remove_webhook                     - - - - - - - - - - - x
mail.gateway.set_webhook                        - - - - - - - - - - - x
mail.gateway.update_webhook                     - - - - - - - - - - - x
mail.guest.manage.merge_partner                 - - - x - - - x - - - x
mail.message.action_whatsapp_decide             - - - x - - - x x - - x
mail.message.action_whatsapp_dismiss            - - - x - - - x x - - x
mail.message.action_whatsapp_save_contact       - - - x - - - x x - - x
mail.message.gateway.link.link_message          - - - x - - - x - - - x
mail.message.whatsapp_delivery                  - - - x - - - x x - - x
mail.notification.send_gateway                  - - - x - - - x x - - x
mail.whatsapp.template.action_whatsapp_delete   - - - - - - - - - - - x
mail.whatsapp.template.button_back2draft        - - - - - - - - - - - x
mail.whatsapp.template.button_export_template   - - - - - - - - - - - x
mail.whatsapp.template.button_sync_template     - - - - - - - - - - - x
res.partner.action_open_whatsapp                - - - x x x x x x x x x
whatsapp.template.library.action_submit         - - - - - - - - - - - x
whatsapp.template.library.action_templates      - - - - - - - - - - - x
whatsapp.ad.action_open_leads                   - - - x x x x x - - - -
whatsapp.invite.action_invite                   - - - x - - - x - - - -
whatsapp.attention.action_open                  - - - x x x x x - - x x
whatsapp.batch.action_cancel                    - - - x - - - x - - - x
whatsapp.batch.action_refresh                   - - - x - - - x - - - x
whatsapp.batch.action_retry                     - - - x - - - x - - - x
whatsapp.batch.line.action_open                 - - - x - - - x - - - x
whatsapp.composer.action_send_whatsapp          - - - x - - - x - - - -
whatsapp.composer.action_view_whatsapp          - - - x x x x x x x x x
whatsapp.composer.onchange_template_id          - - - x - - - x - - - -
whatsapp.conversation.action_ask_phone          - - - x - - - x x - - x
whatsapp.conversation.action_choose_hand_over   - - - x - - - x - - - -
whatsapp.conversation.action_choose_snooze      - - - x - - - x x - - x
whatsapp.conversation.action_close              - - - x - - - x x - - x
whatsapp.conversation.action_create_lead        - - - x - - - x x - - x
whatsapp.conversation.action_create_leads       - - - x - - - x - - - -
whatsapp.conversation.action_details            - - - x - - - x x - - x
whatsapp.conversation.action_open               - - - x - - - x x - - x
whatsapp.conversation.action_open_lead          - - - x - - - x x - - x
whatsapp.conversation.action_reopen             - - - x - - - x x - - x
whatsapp.conversation.tag.name_create           - - - x x x x x - - x x
whatsapp.edit.message.action_send               - - - x - - - x x - - -
whatsapp.error.update_field_translations        - - - - - - - - - - - x
whatsapp.gateway.check.action_fix               - - - - - - - - - - - x
whatsapp.gateway.check.action_test              - - - - - - - - - - - x
whatsapp.hand.over.action_hand_over             - - - x - - - x - - - -
whatsapp.link.lead.action_link                  - - - x - - - x - - - -
whatsapp.message.queue.action_cancel            - - - x - - - x x - - x
whatsapp.message.queue.action_edit              - - - x - - - x x - - x
whatsapp.message.queue.action_leave             - - - x - - - x x - - x
whatsapp.message.queue.action_retry             - - - x - - - x x - - x
whatsapp.message.queue.action_template          - - - x - - - x x - - x
whatsapp.message.queue.create_from_notification - - - x - - - x x - - x
whatsapp.send.document.action_open_for          - - - x - - - x - - - -
whatsapp.send.document.action_send              - - - x - - - x - - - -
whatsapp.send.document.choices                  - - - x - - - x - - - -
whatsapp.send.template.action_send              - - - x - - - x x - - -
whatsapp.send.template.choices                  - - - x - - - x x - - -
whatsapp.snooze.action_snooze                   - - - x - - - x - - - -
whatsapp.waiting.action_open                    - - - x x x x x - - x x
whatsapp.webhook.event.action_process_again     - - - - - - - - - - - x
"""

# What people write of our fields, by form or import; each other one is refused
OPEN = {
    "discuss.channel": {"whatsapp_opt_in_source", "whatsapp_opt_in_date"},
    "whatsapp.conversation": {"opt_in_source", "opt_in_date", "tag_ids"},
    "crm.lead": set(),
    "res.partner": set(),
    "hr.employee": {"whatsapp_agent", "whatsapp_limit"},
    "mail.message": set(),
    "mail.notification": set(),
    "whatsapp.message.queue": set(),
}
