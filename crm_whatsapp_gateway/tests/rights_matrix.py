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
system    administrator
"""

KINDS = (
    "public portal plain owner mate stranger leader manager gateway clerk foreign system"
).split()

# r read (search, grouping and export find it too), w write, c create, u unlink.
# 'taken' belongs to the conversation that the owner has, 'free' to one that nobody
# of the team has. What a person writes of a record is said below it all by OPEN.
RECORDS = """

"""

# x: passes; -: AccessError, before anything is done. On the owner's conversation.
METHODS = """

"""

# What people write of our fields, by form or import; each other one is refused
OPEN = {
    "discuss.channel": {"whatsapp_opt_in_source", "whatsapp_opt_in_date"},
    "crm.lead": set(),
    "res.partner": set(),
    "hr.employee": {"whatsapp_agent", "whatsapp_limit"},
    "mail.message": set(),
    "mail.notification": set(),
    "whatsapp.message.queue": set(),
}
