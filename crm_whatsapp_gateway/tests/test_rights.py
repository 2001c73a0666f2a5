# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
import inspect
from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.mail_gateway_whatsapp_queue import compat

from .common import HTTP, WhatsappCase
from .rights_matrix import KINDS, METHODS, OPEN, RECORDS
from .setup_common import HELLO

OURS = ("odoo.addons.crm_whatsapp_gateway.", "odoo.addons.mail_gateway_whatsapp_queue.")
CHAT = "whatsapp.conversation"
OPERATIONS = {"r": "read", "w": "write", "c": "create", "u": "unlink"}
# Odoo's own hooks, of which the rights are those of the record
# Odoo's own methods, which ours only extend; tests of their own look at those
HOOKS = {
    "create",
    "write",
    "unlink",
    "init",
    "default_get",
    "exists",
    "onchange",
    "search_fetch",
}
HOOKS |= {"get_mention_suggestions_from_channel"}
BOB = {"from": "5215599999999", "name": "Bob Free", "bsuid": "MX.2"}
SALES = "sales_team.group_sale_salesman"
GATEWAY_USER = "mail_gateway.gateway_user"


def table(text):
    """Return what a table says: name of the line -> kind -> cell."""
    lines = [line.split() for line in text.strip().splitlines()]
    return {name: dict(zip(KINDS, cells, strict=True)) for name, *cells in lines}


class RightsCase(WhatsappCase):
    """Two teams, two companies, a conversation that is taken and one that is free."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.env["res.company"].create({"name": "Other"})
        cls.people = {
            "public": cls.env.ref("base.public_user"),
            "portal": cls.user("portal", "base.group_portal"),
            "plain": cls.user("plain", "base.group_user"),
            "owner": cls.sofia,
            "mate": cls.tomas,
            "stranger": cls.user("stranger", SALES),
            "leader": cls.user("leader", SALES),
            "manager": cls.user("manager", f"{SALES}_all_leads"),
            "gateway": cls.user("gateway", f"base.group_user,{GATEWAY_USER}"),
            "clerk": cls.user("clerk", f"base.group_user,{GATEWAY_USER}"),
            "foreign": cls.user(
                "foreign",
                SALES,
                company_id=cls.other.id,
                company_ids=[Command.set(cls.other.ids)],
            ),
            "system": cls.user(
                "system", "base.group_system,base.group_partner_manager"
            ),
        }
        cls.team.user_id = cls.people["leader"]
        cls.team.member_ids = cls.sofia | cls.tomas
        cls.env["crm.team"].create(
            {
                "name": "Others",
                "member_ids": [Command.set(cls.people["stranger"].ids)],
            }
        )
        cls.gateway.member_ids = cls.people["gateway"]

    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="Hi"))
        self.lead = self.channel.lead_id
        self.lead.user_id = self.sofia
        self.lead.expected_revenue = 7777
        self.lead.campaign_id = self.env["utm.campaign"].create({"title": "Secret"})
        self.free = self.receive(self.message(content="Yo", person=BOB), person=BOB)
        self.free.lead_id.user_id = False
        for channel in self.channel, self.free:
            # who had them before, or took part because nobody had them, is out
            channel.channel_member_ids.filtered(
                lambda member, channel=channel: (
                    member.partner_id
                    and member.partner_id != channel.whatsapp_user_id.partner_id
                )
            ).unlink()
        self.channel.add_members(
            partner_ids=[
                self.people[kind].partner_id.id for kind in ("plain", "portal")
            ]
        )
        self.chat = self.channel.whatsapp_conversation_ids
        self.row = self.answer(self.channel, "Hello", user=self.sofia)
        self.free_row = self.env["whatsapp.message.queue"]._record_reaction(
            self.free, "wamid.1", "👍"
        )
        self.send_due()
        self.ad = self.env["whatsapp.ad"].create({"name": "Ad", "ad_id": "1"})
        self.env.flush_all()

    @classmethod
    def user(cls, login, groups, **values):
        return new_test_user(
            cls.env,
            login=f"{login}@rights",
            groups=groups,
            context={"no_reset_password": True, "tracking_disable": True},
            **values,
        )

    def records(self):
        """Return the records of the table, by the names of its lines."""
        env, channel, chat = self.env, self.channel, self.chat
        template = self.template("Hello {{1}}", header="A {{1}}")
        template.button_ids = [
            Command.create(
                {
                    "name": "See",
                    "button_type": "url",
                    "url_type": "static",
                    "website_url": "https://example.com",
                }
            )
        ]
        partner = env["res.partner"].create({"name": "Customer"})
        guest = channel.channel_member_ids.guest_id
        answer = env["whatsapp.answer"].search([("channel_id", "=", channel.id)])
        found = {
            "discuss.channel:taken": channel,
            "discuss.channel:free": self.free,
            "whatsapp.conversation:taken": chat,
            "whatsapp.conversation:free": self.free.whatsapp_conversation_ids,
            "discuss.channel.member:taken": channel.channel_member_ids.filtered(
                "guest_id"
            ),
            "discuss.channel.member:free": self.free.channel_member_ids.filtered(
                "guest_id"
            ),
            "whatsapp.conversation.tag": env["whatsapp.conversation.tag"].create(
                {"name": "Guarantee"}
            ),
            "mail.message:taken": channel.message_ids.filtered("whatsapp_message_id"),
            "mail.message:free": self.free.message_ids.filtered("whatsapp_message_id"),
            "mail.notification:taken": self.row.notification_id,
            "mail.guest:taken": guest,
            "mail.guest:free": self.free.channel_member_ids.guest_id,
            "mail.gateway": self.gateway,
            "res.partner.gateway.channel": env["res.partner.gateway.channel"].create(
                {
                    "partner_id": partner.id,
                    "gateway_id": self.gateway.id,
                    "gateway_token": "5215512121212",
                }
            ),
            "mail.whatsapp.template": template,
            "mail.whatsapp.template.variable": template.variable_ids[:1],
            "mail.whatsapp.template.button": template.button_ids[:1],
            "whatsapp.message.queue:taken": self.row,
            "whatsapp.message.queue:free": self.free_row,
            "whatsapp.message.attempt:taken": self.row.attempt_ids[:1],
            "whatsapp.message.attempt:free": self.free_row.attempt_ids[:1],
            "whatsapp.answer:taken": answer[:1],
            "whatsapp.report:taken": env["whatsapp.report"].search(
                [("channel_id", "=", channel.id), ("kind", "=", "in")], limit=1
            ),
            "whatsapp.assignment:taken": env["whatsapp.assignment"].search(
                [("lead_id", "=", self.lead.id)], limit=1
            ),
            "whatsapp.ad": self.ad,
            "whatsapp.agent": env["whatsapp.agent"].search(
                [("user_id", "=", self.sofia.id)]
            ),
            "whatsapp.attention": env["whatsapp.attention"].search(
                [("kind", "=", "late")]
            ),
            "whatsapp.error": env["whatsapp.error"].search([], limit=1),
            "whatsapp.gateway.check": self.gateway.whatsapp_check_ids[:1],
            "whatsapp.gateway.check.outcome": env[
                "whatsapp.gateway.check.outcome"
            ].search([], limit=1),
            "whatsapp.rate.limit": env["whatsapp.rate.limit"].create(
                {"number": "10001"}
            ),
            "whatsapp.webhook.event": self.events()[:1],
            "whatsapp.send.template": self.wizard("whatsapp.send.template"),
            "whatsapp.send.template.line": self.wizard(
                "whatsapp.send.template"
            ).line_ids[:1],
            **self.documents(template),
            "whatsapp.template.example": env["whatsapp.template.example"].search(
                [], limit=1
            ),
            "whatsapp.template.library": env["whatsapp.template.library"].create({}),
            "whatsapp.hand.over": self.wizard(
                "whatsapp.hand.over", user_id=self.tomas.id
            ),
            "whatsapp.invite": self.wizard("whatsapp.invite"),
            "whatsapp.link.lead": self.wizard(
                "whatsapp.link.lead", lead_id=self.lead.id
            ),
            "whatsapp.snooze": env["whatsapp.snooze"]
            .with_user(self.sofia)
            .create({"conversation_ids": [Command.set(chat.ids)]}),
            "whatsapp.edit.message": env["whatsapp.edit.message"]
            .with_user(self.sofia)
            .create({"row_id": self.row.id, "body": "x"}),
            **self.dialogs_of_oca(guest, partner),
        }
        for name, record in found.items():
            self.assertEqual(len(record), 1, name)
        env.flush_all()
        return {name: record.sudo().with_user(1) for name, record in found.items()}

    def document_dialog(self, user=None):
        """Return the dialog that sends the lead, as somebody opens it."""
        dialogs = self.env["whatsapp.send.document"].with_user(user or self.sofia)
        action = dialogs.action_open_for("crm.lead", self.lead.ids)
        return dialogs.browse(action["res_id"])

    def batch(self):
        """Return a batch of the owner, with one document that was not sent."""
        batch = self.env["whatsapp.batch"].create(
            {
                "name": "Offers",
                "res_model": "crm.lead",
                "user_id": self.sofia.id,
                "gateway_id": self.gateway.id,
            }
        )
        values = {"batch_id": batch.id, "res_id": self.lead.id, "state": "refused"}
        self.env["whatsapp.batch.line"].create(values)
        return batch

    def documents(self, template):
        """Return what is about sending documents: the owner sends the lead."""
        dialog, batch = self.document_dialog(), self.batch()
        dialog.template_id = template
        return {
            "whatsapp.send.document": dialog,
            "whatsapp.send.document.recipient": dialog.recipient_id,
            "whatsapp.send.document.report": self.env["whatsapp.send.document.report"]
            .with_user(self.sofia)
            .create({"wizard_id": dialog.id, "name": "Offer"}),
            "whatsapp.send.document.value": dialog.value_ids[:1],
            "whatsapp.batch": batch,
            "whatsapp.batch.line": batch.line_ids,
        }

    def dialogs_of_oca(self, guest, partner):
        """Return one of each of OCA's dialogs, which the owner opened."""
        message = {"message_id": self.channel.message_ids[:1].id}
        link = self.env["res.partner.gateway.channel"].search([], limit=1)
        values = {
            "mail.guest.manage": {"guest_id": guest.id},
            "mail.message.gateway.link": message,
            "mail.message.gateway.send": {
                **message,
                "partner_id": partner.id,
                "gateway_channel_id": link.id,
            },
            "mail.compose.gateway.message": {"body": "x"},
        }
        return {
            model: self.env[model].with_user(self.sofia).create(vals)
            for model, vals in values.items()
        }

    def wizard(self, model, user=None, **values):
        if model == "whatsapp.send.template":
            template = self.env["mail.whatsapp.template"].search(
                [("gateway_id", "=", self.gateway.id)], limit=1
            )
            values["template_id"] = (template or self.template()).id
        values["channel_id"] = self.channel.id
        return self.env[model].with_user(user or self.sofia).create(values)


class TestRights(RightsCase):
    # ------------------------------------------------------------- the tables

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_each_kind_of_user_reads_and_changes_what_the_table_says(self):
        expected, found = table(RECORDS), {}
        for name, record in self.records().items():
            found[name] = {
                kind: self.may(record.with_user(user))
                for kind, user in self.people.items()
            }
        self.compare(expected, found)

    def may(self, record):
        """Return the letters of what a user may do; all ways to find it agree."""
        self.env.invalidate_all()
        may = {
            letter
            for letter, operation in OPERATIONS.items()
            if (record if letter != "c" else record.browse()).has_access(operation)
        }
        cell = "".join(letter for letter in OPERATIONS if letter in may) or "-"
        return cell if self.finds(record) == {"r" in may} else f"{cell}!"

    def finds(self, record):
        """Return whether search, grouping and export find a record: one answer."""
        model, domain = record.browse(), [("id", "=", record.id)]
        # a name may be that of another record
        exported = "create_date" if model._log_access else "display_name"
        ways = {
            "search": lambda: model.search(domain),
            "count": lambda: model.search_count(domain),
            "group": lambda: [
                row for row in model._read_group(domain, [], ["__count"]) if row[0]
            ],
            "export": lambda: record.export_data([exported])["datas"],
        }
        found = {}
        for way, find in ways.items():
            try:
                with self.env.cr.savepoint():
                    found[way] = bool(find())
            except UserError:  # AccessError is one; export is for a group of its own
                found[way] = False
        exports = record.env.user.has_group("base.group_allow_export")
        if not exports:
            found.pop("export")
        return set(found.values())

    def compare(self, expected, found):
        """Compare tables; what differs is shown as it would stand in the table."""
        wide = max(map(len, found)) + 1
        lines = [
            name.ljust(wide) + " ".join(cell.ljust(4) for cell in cells.values())
            for name, cells in found.items()
            if cells != expected.get(name)
        ]
        self.assertFalse(lines, "\n" + "\n".join(lines))
        self.assertEqual(set(expected), set(found))

    def public_methods(self):
        """Return the public methods that our classes bring, by inspection."""
        names = set()
        for model in self.env.registry.models.values():
            if model._abstract:  # its methods are those of the models that have it
                continue
            for base in model.mro():
                if not base.__module__.startswith(OURS):
                    continue
                names |= {
                    f"{model._name}.{name}"
                    for name, value in base.__dict__.items()
                    if inspect.isfunction(value)
                    and not name.startswith("_")
                    and name not in HOOKS
                }
        return names

    def calls(self, user):
        """Return how each public method is tried by somebody, on the conversation."""

        def of(record):
            return record.with_user(user)

        def wizard(model, **values):
            return self.wizard(model, user=user, **values)

        def record(model):
            return self.env[model].with_user(user)

        channel, lead = of(self.channel), of(self.lead)
        message = of(self.channel.message_ids.filtered("whatsapp_message_id"))
        sent = of(self.row.message_id)
        row, gateway = of(self.failed), of(self.gateway)
        event, check = of(self.events()[:1]), of(self.check)
        template = of(self.message_template)

        def composer(**values):
            return record("whatsapp.composer").create(
                {
                    "res_model": "crm.lead",
                    "res_id": self.lead.id,
                    "number_field_name": "phone",
                    "gateway_id": self.gateway.id,
                    "body": "Hi",
                    **values,
                }
            )

        return {
            # of calendar_whatsapp_gateway, which Odoo installs beside
            "calendar.event.action_whatsapp_send": of(
                self.meeting
            ).action_whatsapp_send,
            "crm.lead.action_open_whatsapp": lead.action_open_whatsapp,
            "crm.lead.action_whatsapp_merge": lead.action_whatsapp_merge,
            "crm.lead.message_subscribe": lambda: lead.message_subscribe(
                self.gateway.company_id.partner_id.ids
            ),
            "discuss.channel.action_ask_phone": channel.action_ask_phone,
            "discuss.channel.action_create_lead": channel.action_create_lead,
            "discuss.channel.action_open_lead": channel.action_open_lead,
            "discuss.channel.action_open_whatsapp": channel.action_open_whatsapp,
            "discuss.channel.action_unfollow": channel.action_unfollow,
            "discuss.channel.action_whatsapp_contact": channel.action_whatsapp_contact,
            "discuss.channel.action_whatsapp_link_lead": (
                channel.action_whatsapp_link_lead
            ),
            "discuss.channel.action_whatsapp_other_number": (
                channel.action_whatsapp_other_number
            ),
            "discuss.channel.message_post": lambda: channel.message_post(
                body="Hi", message_type="comment", subtype_xmlid="mail.mt_comment"
            ),
            "discuss.channel.whatsapp_known": lambda: self.told(
                channel.whatsapp_known()
            ),
            "discuss.channel.whatsapp_panel": lambda: self.told(
                channel.whatsapp_panel()
            ),
            "hr.employee.get_next_whatsapp_assignee": lambda: record(
                "hr.employee"
            ).get_next_whatsapp_assignee(self.company),
            "mail.gateway.action_whatsapp_conversations": (
                gateway.action_whatsapp_conversations
            ),
            "mail.gateway.action_whatsapp_keep_apart": (
                gateway.action_whatsapp_keep_apart
            ),
            "mail.gateway.action_whatsapp_resume": gateway.action_whatsapp_resume,
            "mail.gateway.action_whatsapp_share": gateway.action_whatsapp_share,
            "mail.gateway.action_whatsapp_connect_copy": (
                gateway.action_whatsapp_connect_copy
            ),
            "mail.gateway.action_whatsapp_disconnect_copy": (
                gateway.action_whatsapp_disconnect_copy
            ),
            "mail.gateway.action_whatsapp_test": gateway.action_whatsapp_test,
            "mail.gateway.copy_data": gateway.copy_data,
            "mail.gateway.remove_webhook": gateway.remove_webhook,
            "mail.gateway.set_webhook": gateway.set_webhook,
            "mail.gateway.update_webhook": gateway.update_webhook,
            "whatsapp.error.update_field_translations": lambda: (
                of(self.env["whatsapp.error"].search([], limit=1))
            ).update_field_translations("advice", {"en_US": "Wait"}),
            "mail.gateway.button_import_whatsapp_template": (
                gateway.button_import_whatsapp_template
            ),
            "mail.guest.manage.merge_partner": lambda: (
                record("mail.guest.manage")
                .create(
                    {
                        "guest_id": self.channel.channel_member_ids.guest_id.id,
                        "partner_id": self.contact.id,
                    }
                )
                .merge_partner()
            ),
            "mail.message.action_whatsapp_decide": lambda: of(
                self.failed.message_id
            ).action_whatsapp_decide("retry"),
            "mail.message.action_whatsapp_dismiss": lambda: of(
                self.failed.message_id
            ).action_whatsapp_dismiss(),
            "mail.message.action_whatsapp_save_contact": (
                message.action_whatsapp_save_contact
            ),
            "mail.message.gateway.link.link_message": lambda: (
                record("mail.message.gateway.link")
                .create(
                    {
                        "message_id": message.id,
                        "resource_ref": f"res.partner,{self.contact.id}",
                    }
                )
                .link_message()
            ),
            "mail.message.whatsapp_delivery": sent.whatsapp_delivery,
            "mail.notification.send_gateway": lambda: of(
                self.row.notification_id
            ).send_gateway(),
            "mail.whatsapp.template.action_whatsapp_delete": (
                template.action_whatsapp_delete
            ),
            "mail.whatsapp.template.button_back2draft": template.button_back2draft,
            "mail.whatsapp.template.button_export_template": (
                template.button_export_template
            ),
            "mail.whatsapp.template.button_sync_template": lambda: self.sync(template),
            "whatsapp.template.library.action_submit": lambda: (
                record("whatsapp.template.library")
                .create({"example_ids": [Command.clear()]})
                .action_submit()
            ),
            "whatsapp.template.library.action_templates": lambda: (
                record("whatsapp.template.library").create({}).action_templates()
            ),
            "whatsapp.ad.action_open_leads": of(self.ad).action_open_leads,
            "whatsapp.invite.action_invite": lambda: wizard(
                "whatsapp.invite", user_ids=[Command.set(self.tomas.ids)]
            ).action_invite(),
            "whatsapp.attention.action_open": lambda: (
                record("whatsapp.attention").search([], limit=1).action_open()
            ),
            **{
                f"whatsapp.batch.{name}": getattr(of(self.sent_batch), name)
                for name in ("action_cancel", "action_refresh", "action_retry")
            },
            "whatsapp.batch.line.action_open": of(self.sent_batch.line_ids).action_open,
            "res.partner.action_open_whatsapp": of(self.contact).action_open_whatsapp,
            "whatsapp.send.document.action_open_for": lambda: record(
                "whatsapp.send.document"
            ).action_open_for("crm.lead", self.lead.ids),
            "whatsapp.send.document.action_send": lambda: self.document_dialog(
                user
            ).action_send(),
            "whatsapp.send.document.choices": lambda: record(
                "whatsapp.send.document"
            ).choices(self.document_dialog(user).recipient_id.id, self.gateway.id),
            "whatsapp.composer.action_send_whatsapp": lambda: (
                composer().action_send_whatsapp()
            ),
            "whatsapp.composer.action_view_whatsapp": lambda: (
                composer().action_view_whatsapp()
            ),
            "whatsapp.composer.onchange_template_id": lambda: composer(
                template_id=self.message_template.id
            ).onchange_template_id(),
            "whatsapp.edit.message.action_send": lambda: (
                record("whatsapp.edit.message")
                .create({"row_id": self.failed.id, "body": "Again"})
                .action_send()
            ),
            "whatsapp.gateway.check.action_fix": check.action_fix,
            "whatsapp.gateway.check.action_test": check.action_test,
            "whatsapp.hand.over.action_hand_over": lambda: wizard(
                "whatsapp.hand.over", user_id=self.tomas.id
            ).action_hand_over(),
            "whatsapp.link.lead.action_link": lambda: wizard(
                "whatsapp.link.lead", lead_id=self.lead.id
            ).action_link(),
            "whatsapp.message.queue.action_cancel": row.action_cancel,
            "whatsapp.message.queue.action_edit": row.action_edit,
            "whatsapp.message.queue.action_leave": row.action_leave,
            "whatsapp.message.queue.action_retry": row.action_retry,
            "whatsapp.message.queue.action_template": row.action_template,
            "whatsapp.message.queue.create_from_notification": lambda: record(
                "whatsapp.message.queue"
            ).create_from_notification(of(self.row.notification_id)),
            "whatsapp.send.template.action_send": lambda: wizard(
                "whatsapp.send.template"
            ).action_send(),
            **{
                f"whatsapp.conversation.{name}": getattr(of(self.chat), name)
                for name in (
                    "action_ask_phone",
                    "action_choose_hand_over",
                    "action_choose_snooze",
                    "action_close",
                    "action_create_lead",
                    "action_create_leads",
                    "action_details",
                    "action_open",
                    "action_open_lead",
                    "action_reopen",
                )
            },
            "whatsapp.conversation.tag.name_create": lambda: record(
                "whatsapp.conversation.tag"
            ).name_create("New"),
            "whatsapp.send.template.choices": lambda: record(
                "whatsapp.send.template"
            ).choices(self.channel.id),
            "whatsapp.snooze.action_snooze": lambda: (
                record("whatsapp.snooze")
                .create({"conversation_ids": [Command.set(self.chat.ids)]})
                .action_snooze()
            ),
            "whatsapp.waiting.action_open": lambda: (
                record("whatsapp.waiting").search([], limit=1).action_open()
            ),
            "whatsapp.webhook.event.action_process_again": event.action_process_again,
        }

    def sync(self, template):
        """Read a template again, while Meta says what it is."""
        self.meta.answers = [(200, HELLO)]
        try:
            template.button_sync_template()
        finally:
            self.meta.answers = []

    def told(self, answer):
        if not answer:  # False, as the docstring says
            raise AccessError(str(answer))

    @mute_logger(
        "odoo.addons.base.models.ir_rule",
        "odoo.addons.base.models.ir_model",
        "odoo.models.unlink",
    )
    def test_each_public_method_asks_for_the_right_that_the_table_says(self):
        self.message_template = self.template("Hello")
        self.contact = self.env["res.partner"].create({"name": "Customer"})
        self.meeting = self.env["calendar.event"].create(
            {"name": "Visit", "start": fields.Datetime.now(), "duration": 1}
        )
        self.check = self.gateway.whatsapp_check_ids[:1]
        self.failed = self.answer(self.channel, "Failed", user=self.sofia)
        self.failed.write({"state": "failed", "attempts": 3})
        self.sent_batch = self.batch()
        self.env.flush_all()
        expected, found = table(METHODS), {}
        tried = set(self.calls(self.env.user))
        self.assertFalse(
            self.public_methods() - tried, "new public methods: who may call them?"
        )
        for kind, user in self.people.items():
            for name, call in self.calls(user).items():
                found.setdefault(name, {})[kind] = self.passes(call)
        self.compare(expected, found)

    def passes(self, call):
        """Try a call and take it back; a right that is missing is an AccessError."""
        self.env.invalidate_all()
        try:
            with self.env.cr.savepoint():
                call()
                self.env.flush_all()
                raise _Undo
        except _Undo:
            return "x"
        except (AccessError, ValueError):  # or not among what this user may choose
            return "-"
        except UserError:  # about the matter: the right was there
            return "x"
        finally:
            self.env.invalidate_all()


class TestInboxAsChannels(RightsCase):
    """A conversation of the inbox is for who may see its channel, and nobody else."""

    def set_scene(self):
        super().set_scene()
        both = self.company | self.other
        self.people["both"] = self.user(
            "both", SALES, company_ids=[Command.set(both.ids)]
        )
        self.people["visitor"] = self.user(
            "visitor", SALES, company_ids=[Command.set(both.ids)]
        )
        theirs = self.gateway.copy(
            {
                "name": "Theirs",
                "token": "EAAtheirs",
                "webhook_key": "theirs",
                "whatsapp_from_phone": "10009",
                "company_id": self.other.id,
                "whatsapp_team_id": False,
            }
        )
        self.channels = self.channel | self.free
        for n, (owner, guest, gateway) in enumerate(
            (
                ("owner", "mate", self.gateway),
                ("stranger", "gateway", self.gateway),
                ("both", "leader", theirs),
                ("foreign", "visitor", theirs),
                (None, None, theirs),
                ("both", "visitor", self.gateway),
                ("mate", "plain", self.gateway),
            )
        ):
            channel = self.env["discuss.channel"].create(
                {
                    "name": f"Person {n}",
                    "channel_type": "gateway",
                    "gateway_id": gateway.id,
                    "company_id": gateway.company_id.id,
                    "gateway_channel_token": f"3460000000{n}",
                }
            )
            user = self.people[owner] if owner else self.users.browse()
            channel.lead_id = self.env["crm.lead"].create(
                {
                    "name": channel.name,
                    "user_id": user.id,
                    "team_id": False,
                    "company_id": gateway.company_id.id,
                }
            )
            members = self.people[guest].partner_id if guest else user.partner_id
            channel.channel_member_ids.filtered("partner_id").unlink()
            channel.add_members(partner_ids=members.ids)
            self.channels |= channel
        self.channels[3].active = False
        self.channels[4].gateway_id = False  # its number was deleted
        self.env.flush_all()

    def seen(self, user, companies, operation):
        """Return the channels that somebody may see, and those of the inbox's rows."""
        found = []
        for model, path in (("discuss.channel", "id"), (CHAT, "channel_id.id")):
            records = self.env[model].with_user(user)
            records = records.with_context(
                active_test=False, allowed_company_ids=companies.ids
            )
            if records.has_access(operation):
                domain = [(path.removesuffix(".id"), "in", self.channels.ids)]
                records = records.search(domain)._filtered_access(operation)
            found.append(set(records.sudo().mapped(path)))
        return found

    def test_the_inbox_shows_what_its_user_may_see_as_channels(self):
        total = 0
        for kind, user in self.people.items():
            own = user.company_ids
            for companies in {own, *own}:
                for operation in ("read", "write"):
                    with self.subTest(kind, companies=companies, operation=operation):
                        channels, chats = self.seen(user, companies, operation)
                        self.assertEqual(chats, channels)
                        total += len(chats)
        self.assertGreater(total, 50, "so that something is proven")

    def test_what_decides_is_in_step_with_channel_and_lead(self):
        names = {
            "name": "name",
            "active": "active",
            "company_id": "company_id",
            "gateway_id": "gateway_id",
            "phone": "whatsapp_phone",
            "username": "whatsapp_username",
            "lead_id": "lead_id",
            "team_id": "whatsapp_team_id",
            "user_id": "whatsapp_user_id",
        }

        def check():
            self.env.flush_all()
            self.env.invalidate_all()
            for channel in self.channels:
                chat = channel.whatsapp_conversation_ids
                self.assertEqual(chat.stage_id, channel.lead_id.stage_id)
                for own, other in names.items():
                    self.assertEqual(chat[own], channel[other], own)

        check()
        lead = self.channel.lead_id
        lead.write({"user_id": self.tomas.id, "team_id": False})
        lead.stage_id = self.env["crm.stage"].search([], order="id desc", limit=1)
        self.channel.write({"name": "New", "whatsapp_username": "new"})
        check()
        self.assertEqual(self.chat.user_id, self.tomas)
        self.assertEqual(self.chat.name, "New")
        self.free.write({"lead_id": False, "active": False, "company_id": False})
        check()
        self.assertFalse(self.free.whatsapp_conversation_ids.lead_id)

    def test_there_is_one_for_each_channel_of_whatsapp(self):
        for channel in self.channels:
            self.assertEqual(len(channel.whatsapp_conversation_ids), 1)
        group = self.env["discuss.channel"].create(
            {"name": "Us", "channel_type": "group"}
        )
        self.assertFalse(group.whatsapp_conversation_ids)
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            with self.env.cr.savepoint():
                self.env[CHAT].create({"channel_id": self.channel.id})
        chat = self.chat
        self.channel.unlink()
        self.assertFalse(chat.exists())


class TestNobodyGetsAround(RightsCase):
    """What an attack did, and its kind."""

    def refused(self, call, error=AccessError):
        with self.assertRaises(error), self.env.cr.savepoint():
            call()
            self.env.flush_all()
        self.env.invalidate_all()

    # ------------------------------------------------------------- S4: made by hand

    def test_a_person_makes_no_conversation_whatever_the_way(self):
        values = {
            "name": "Forged",
            "channel_type": "gateway",
            "gateway_id": self.gateway.id,
            "gateway_channel_token": "5215500009999",
        }
        for kind in ("plain", "owner", "manager", "gateway", "system"):
            channels = self.env["discuss.channel"].with_user(self.people[kind])
            with self.subTest(kind):
                self.refused(lambda c=channels: c.create(values))
                defaults = {f"default_{name}": v for name, v in values.items()}
                self.refused(
                    lambda c=channels, d=defaults: c.with_context(**d).create(
                        {"name": "Forged"}
                    )
                )
                # OCA sends what is posted in any channel that has a gateway
                self.refused(
                    lambda c=channels: c.create({**values, "channel_type": "group"})
                )

    def test_a_person_turns_no_channel_into_a_conversation_and_moves_none(self):
        for kind in ("plain", "owner", "manager", "system"):
            user = self.people[kind]
            group = self.env["discuss.channel"].with_user(user)
            group = group.create({"name": "Us", "channel_type": "group"})
            for values in (
                {"gateway_id": self.gateway.id},
                {"gateway_id": self.gateway.id, "channel_type": "gateway"},
            ):
                with self.subTest(kind, values=values):
                    # Odoo itself changes no type
                    self.refused(lambda g=group, v=values: g.write(v), error=UserError)
        for kind in ("owner", "manager", "system"):
            channel = self.channel.with_user(self.people[kind])
            for name, value in (
                ("gateway_channel_token", "5215500009999"),
                ("gateway_id", False),
                ("channel_type", "group"),
                ("company_id", self.other.id),
            ):
                with self.subTest(kind, name=name):
                    self.refused(
                        lambda c=channel, n=name, v=value: c.write({n: v}),
                        error=UserError if name == "channel_type" else AccessError,
                    )

    def test_groups_and_channels_are_made_as_before(self):
        for kind in ("plain", "owner"):
            channels = self.env["discuss.channel"].with_user(self.people[kind])
            # a default that is meant for something else
            channels = channels.with_context(default_lead_id=self.lead.id)
            group = channels.create({"name": "Us", "channel_type": "group"})
            group.write({"name": "Us all", "description": "x"})
            group.message_post(body="Hi", message_type="comment")
            self.assertFalse(group.sudo().lead_id)

    # ------------------------------------------------------------- S6: state forged

    def test_of_our_fields_a_person_writes_those_of_the_list(self):
        records = {
            "discuss.channel": self.channel,
            "whatsapp.conversation": self.channel.whatsapp_conversation_ids,
            "crm.lead": self.lead,
            "res.partner": self.env["res.partner"].create({"name": "Customer"}),
            "hr.employee": self.employees[:1],
            "mail.message": self.row.message_id,
            "mail.notification": self.row.notification_id,
            "whatsapp.message.queue": self.row,
        }
        everything = new_test_user(
            self.env,
            login="everything@rights",
            groups="base.group_system,sales_team.group_sale_manager,hr.group_hr_manager",
        )
        self.assertEqual(set(records), set(OPEN))
        for model, record in records.items():
            record = record.with_user(everything)
            ours = {
                name
                for name, field in record._fields.items()
                if {"crm_whatsapp_gateway", "mail_gateway_whatsapp_queue"}
                & set(field._modules)
                and (name.startswith("whatsapp_") or name.startswith("lead_"))
            } | (record._whatsapp_closed() | OPEN[model])
            self.assertTrue(ours - OPEN[model], model)
            for name in sorted(ours - OPEN[model]):
                with self.subTest(model, name=name):
                    self.refused(lambda r=record, n=name: r.write({n: False}))
        self.channel.with_user(self.sofia).whatsapp_opt_in_source = "Form"
        self.refused(
            lambda: self.channel.with_user(self.tomas).write(
                {"whatsapp_opt_in_source": "x"}
            )
        )
        self.employees[:1].with_user(everything).whatsapp_limit = 3

    def test_a_record_is_made_with_none_of_our_fields(self):
        for values in (
            {"whatsapp_opened_at": "2026-01-01 00:00:00"},
            {"whatsapp_channel_ids": [Command.link(self.free.id)]},
            {"whatsapp_channel_ids": [Command.create({"name": "x"})]},
        ):
            leads = self.env["crm.lead"].with_user(self.sofia)
            self.refused(lambda v=values, x=leads: x.create({"name": "L", **v}))
            self.refused(lambda v=values: self.lead.with_user(self.sofia).write(v))
        self.refused(
            lambda: self.channel.with_user(self.sofia).message_post(
                body="Hi", whatsapp_message_id="wamid.forged"
            )
        )
        message = (
            self.channel.with_user(self.sofia)
            .with_context(whatsapp_message_id="wamid.forged")
            .message_post(body="Hi", message_type="comment")
        )
        self.assertFalse(message.sudo().whatsapp_message_id)

    def test_commands_of_other_models_do_not_get_around(self):
        plain = self.people["plain"]
        partner = self.env["res.partner"].create({"name": "P"}).with_user(plain)
        link = {"gateway_id": self.gateway.id, "gateway_token": "521"}
        self.refused(
            lambda: partner.write({"gateway_channel_ids": [Command.create(link)]})
        )
        partner.with_user(self.people["system"]).sudo(False)
        message = self.row.message_id.with_user(self.sofia)
        self.refused(
            lambda: message.write(
                {
                    "notification_ids": [
                        Command.update(
                            self.row.notification_id.id,
                            {"notification_status": "whatsapp_read"},
                        )
                    ]
                }
            )
        )

    def test_a_merged_lead_takes_over_what_whatsapp_wrote(self):
        self.lead.whatsapp_ctwa_clid = "click"
        other = self.env["crm.lead"].create(
            {"name": "Other", "user_id": self.sofia.id, "probability": 99}
        )
        other.type = self.lead.type
        merged = (self.lead | other).with_user(self.sofia).merge_opportunity()
        self.assertEqual(merged.sudo().whatsapp_ctwa_clid, "click")
        self.assertTrue(merged.sudo().whatsapp_opened_at)

    # ------------------------------------------------------------- S5: links by hand

    def test_a_lead_is_linked_only_by_who_may_read_it(self):
        mine = self.env["crm.lead"].create({"name": "M", "user_id": self.sofia.id})
        theirs = self.env["crm.lead"].create({"name": "T", "user_id": self.tomas.id})
        foreign = self.env["crm.lead"].create(
            {"name": "F", "company_id": self.other.id, "user_id": False}
        )
        owner, link = self.sofia, self.env["whatsapp.link.lead"]
        self.refused(lambda: self.wizard(link._name, owner, lead_id=theirs.id))
        self.refused(lambda: self.channel.with_user(owner).write({"lead_id": mine.id}))
        self.refused(lambda: self.wizard(link._name, self.tomas, lead_id=theirs.id))
        self.refused(
            lambda: self.channel.with_user(owner)._whatsapp_link_by_hand(
                foreign.with_user(owner)
            )
        )
        self.refused(
            lambda: self.channel._whatsapp_link_by_hand(foreign), error=UserError
        )
        self.wizard(link._name, owner, lead_id=mine.id).action_link()
        self.assertEqual(self.channel.lead_id, mine)
        self.assertIn("sofia", mine.whatsapp_match_reason)

    def test_no_meeting_leads_into_a_conversation(self):
        """Odoo tells its name, and the address of its invitation, to who asks."""
        for kind in ("plain", "owner", "stranger"):
            events = self.env["calendar.event"].with_user(self.people[kind])
            values = {
                "name": "Meeting",
                "start": "2026-12-01 10:00:00",
                "stop": "2026-12-01 11:00:00",
            }
            self.refused(
                lambda e=events, v=values: e.create(
                    {**v, "videocall_channel_id": self.channel.id}
                )
            )
            event = events.create(values)
            self.refused(
                lambda e=event: e.write({"videocall_channel_id": self.channel.id})
            )

    def test_an_activity_is_of_no_conversation_by_hand(self):
        lead = self.env["crm.lead"].create(
            {"name": "Mine", "user_id": self.people["stranger"].id}
        )
        for name, value in (
            ("whatsapp_channel_id", self.channel.id),
            ("whatsapp_call", True),
        ):
            self.refused(
                lambda n=name, v=value: (
                    self.env["mail.activity"]
                    .with_user(self.people["stranger"])
                    .create(
                        {
                            "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
                            "res_id": lead.id,
                            n: v,
                        }
                    )
                )
            )

    def test_an_answer_is_not_dated_back(self):
        """The report would show that the customer had it sooner."""
        self.receive(self.message(content="Well?"))
        asked = self.channel.whatsapp_last_customer_date
        self.refused(
            lambda: self.channel.with_user(self.sofia).message_post(
                body="Hello",
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                date=asked - timedelta(hours=1),
            )
        )

    def test_what_a_lead_is_worth_is_for_who_may_read_the_lead(self):
        self.channel.add_members(partner_ids=self.tomas.partner_id.ids)
        names = ["expected_revenue", "campaign_id", "activity_summary"]
        self.lead.with_context(mail_activity_quick_update=True).activity_schedule(
            "mail.mail_activity_data_todo", summary="Plan", user_id=self.sofia.id
        )
        chat = self.channel.whatsapp_conversation_ids
        own = chat.with_user(self.sofia).read(names)[0]
        self.assertEqual(own["expected_revenue"], 7777)
        self.assertEqual(own["campaign_id"][1], "Secret")
        self.assertEqual(own["activity_summary"], "Plan")
        channel = self.channel.with_user(self.tomas)
        self.assertEqual(channel._whatsapp_lead_summary()["name"], self.lead.name)
        theirs = chat.with_user(self.tomas).read(names)[0]
        self.assertFalse(any(theirs[name] for name in names), theirs)
        campaign = [("campaign_id", "=", self.lead.campaign_id.id)]
        self.assertEqual(chat.with_user(self.sofia).search(campaign), chat)
        self.assertFalse(chat.with_user(self.tomas).search(campaign))

    @mute_logger("odoo.domains", "odoo.osv.expression", "odoo.fields", "odoo.models")
    def test_what_a_lead_is_worth_is_not_grouped_sorted_or_searched(self):
        self.channel.add_members(partner_ids=self.tomas.partner_id.ids)
        channels = self.env["whatsapp.conversation"].with_user(self.tomas)
        domain = [("channel_id", "=", self.channel.id)]
        for name in (
            "expected_revenue",
            "campaign_id",
            "activity_summary",
            "activity_state",
        ):
            for ask in (
                lambda n=name: channels._read_group(domain, [n]),
                lambda n=name: channels._read_group(domain, [], [f"{n}:max"]),
                lambda n=name: channels.search(domain, order=n),
            ):
                with self.subTest(name), self.assertRaises(Exception):  # noqa: B017
                    with self.env.cr.savepoint():
                        ask()
        try:  # 19.0 groups by the fields of others, with the rights of the user
            with self.env.cr.savepoint():
                groups = channels._read_group(domain, ["lead_id.expected_revenue"])
        except ValueError:
            groups = []
        self.assertNotIn((7777,), groups)
        for worth in ("expected_revenue", "lead_id.expected_revenue"):
            try:
                with self.env.cr.savepoint():
                    found = channels.search([*domain, (worth, ">", 7000)])
                    other = channels.search([*domain, (worth, "<", 7000)])
            except (ValueError, UserError):
                continue  # what is not stored cannot be searched
            self.assertEqual(found, other, "an answer that tells what it is worth")

    # ------------------------------------------------------------- S8: customers

    def test_names_of_colleagues_leads_do_not_leak(self):
        stranger = self.people["stranger"]
        rows = self.env["whatsapp.assignment"].with_user(stranger)
        self.assertFalse(rows.search([("lead_id", "=", self.lead.id)]))
        self.refused(
            lambda: self.wizard("whatsapp.hand.over", stranger, user_id=stranger.id)
        )
        self.refused(lambda: self.wizard("whatsapp.send.template", stranger))
        self.refused(
            lambda: (
                self.env["whatsapp.edit.message"]
                .with_user(stranger)
                .create({"row_id": self.row.id, "body": "x"})
            )
        )

    def test_a_customer_is_not_lured_into_another_channel(self):
        guest = self.channel.channel_member_ids.guest_id
        for kind in ("plain", "stranger", "owner"):
            group = self.env["discuss.channel"].with_user(self.people[kind])
            group = group.create({"name": "Us", "channel_type": "group"})
            self.refused(lambda g=group: g.add_members(guest_ids=guest.ids))

    def test_who_could_not_see_a_conversation_is_not_let_in(self):
        clerk = self.user("clerk2", "base.group_user")
        self.refused(
            lambda: self.channel.with_user(self.sofia).add_members(
                partner_ids=clerk.partner_id.ids
            ),
        )

    def test_an_ad_belongs_to_the_company_of_the_number(self):
        ads = self.env["whatsapp.ad"]
        self.assertEqual(self.ad.company_id, self.company)
        shared = ads.create({"name": "All", "ad_id": "2", "company_id": False})
        ads.create({"name": "Theirs", "ad_id": "1", "company_id": self.other.id})
        with mute_logger("odoo.sql_db"):
            self.refused(
                lambda: ads.create({"name": "Ad", "ad_id": "1"}), error=UserError
            )
            self.refused(
                lambda: shared.write({"ad_id": "1", "company_id": self.other.id}),
                error=UserError,
            )
        foreign = ads.with_user(self.people["foreign"])
        self.assertEqual(set(foreign.search([]).mapped("name")), {"All", "Theirs"})
        self.assertIn(shared, ads.with_user(self.sofia).search([]))

    # ------------------------------------------------------------- S13: rights taken

    def sees(self, user):
        channels = self.env["discuss.channel"].with_user(user)
        return channels.search([("gateway_id", "=", self.gateway.id)])

    def takes_part(self, user):
        return self.channel.channel_member_ids.filtered(
            lambda member: member.partner_id == user.partner_id
        )

    def test_who_loses_the_group_sees_nothing_and_takes_part_in_nothing(self):
        names = {"user": "group_ids" if compat.V19 else "groups_id"}
        sales = self.env.ref(SALES)

        def by_user():
            self.sofia.write({names["user"]: [Command.unlink(sales.id)]})

        def by_group():
            sales.write({compat.USERS: [Command.unlink(self.sofia.id)]})

        for take in (by_user, by_group):
            with self.subTest(take.__name__), self.env.cr.savepoint():
                employee = self.env.ref("base.group_user")
                employee.write({compat.USERS: [Command.link(self.sofia.id)]})
                self.assertTrue(self.sees(self.sofia))
                self.assertTrue(self.takes_part(self.sofia))
                take()
                self.env.invalidate_all()
                self.assertFalse(self.sees(self.sofia))
                self.assertFalse(self.takes_part(self.sofia))
                self.refused(
                    lambda: self.channel.with_user(self.sofia).message_post(body="Hi")
                )
                sales.write({compat.USERS: [Command.link(self.sofia.id)]})
                self.channel._whatsapp_add_members(self.sofia)
                self.env.invalidate_all()

    def test_who_leaves_the_company_takes_part_in_nothing(self):
        self.sofia.active = False
        self.assertFalse(self.takes_part(self.sofia))

    def test_a_member_without_the_right_gets_no_push(self):
        plain = self.people["plain"].partner_id
        message = self.channel.message_ids.filtered("whatsapp_message_id")

        def told():
            found = self.channel._notify_get_recipients(
                message,
                {"message_type": "comment", "author_id": False, "partner_ids": []},
            )
            return {one["id"] for one in found}

        self.assertFalse(told(), "nobody has a device")
        self.env["mail.push.device"].create(
            [
                {"partner_id": partner.id, "endpoint": f"/{partner.id}", "keys": "{}"}
                for partner in (plain, self.sofia.partner_id)
            ]
        )
        self.assertIn(self.sofia.partner_id.id, told())
        self.assertNotIn(plain.id, told())

    def test_rights_only_grow_with_groups(self):
        group = self.env.ref(SALES)
        for kind in ("gateway", "clerk", "plain"):
            user = self.people[kind]
            self.channel._whatsapp_add_members(user)
            before = self.sees(user)
            with self.env.cr.savepoint():
                group.write({compat.USERS: [Command.link(user.id)]})
                self.env.invalidate_all()
                self.assertFalse(before - self.sees(user), kind)

    # ------------------------------------------------------------- S7: satellites

    def test_messages_of_another_team_cannot_be_read_or_sent_again(self):
        stranger = self.people["stranger"]
        self.free_row.state = "failed"
        rows = self.env["whatsapp.message.queue"].with_user(stranger)
        self.assertFalse(rows.search([]))
        row = self.free_row.with_user(stranger)
        for call in (row.action_retry, row.action_cancel, row.action_edit):
            self.refused(call)
        self.assertTrue(self.free_row.with_user(self.tomas).has_access("read"))

    # ------------------------------------------------------------- OCA's ways to send

    def test_no_document_sends_in_the_company_s_name_without_the_right(self):
        partner = self.env["res.partner"].create({"name": "Customer"})
        link = self.env["res.partner.gateway.channel"].create(
            {
                "partner_id": partner.id,
                "gateway_id": self.gateway.id,
                "gateway_token": self.channel.gateway_channel_token,
            }
        )
        notices = [
            {
                "partner_id": partner.id,
                "channel_type": "gateway",
                "gateway_channel_id": link.id,
            }
        ]

        def post(user, sudo=False):
            return (
                partner.with_user(user)
                .sudo(sudo)
                .message_post(
                    body="Buy!",
                    message_type="comment",
                    subtype_xmlid="mail.mt_comment",
                    gateway_notifications=notices,
                )
            )

        before = self.env["whatsapp.message.queue"].search_count([])
        for kind in ("portal", "plain", "stranger", "foreign"):
            for sudo in (False, True):  # as Odoo's route posts
                with self.subTest(kind, sudo=sudo):
                    self.refused(
                        lambda k=kind, s=sudo: post(self.people[k], s), error=UserError
                    )
        self.assertEqual(self.env["whatsapp.message.queue"].search_count([]), before)
        writer = new_test_user(
            self.env,
            login="writer@rights",
            groups=f"{SALES}_all_leads,base.group_partner_manager",
        )
        post(writer)
        self.assertEqual(
            self.env["whatsapp.message.queue"].search_count([]), before + 1
        )
        message = partner.message_ids[:1]
        self.refused(
            lambda: (
                self.env["mail.message.gateway.send"]
                .with_user(self.people["plain"])
                .create(
                    {
                        "message_id": message.id,
                        "partner_id": partner.id,
                        "gateway_channel_id": link.id,
                    }
                )
                .send()
            )
        )

    def test_a_notification_is_asked_for_and_its_status_is_not_forged(self):
        notes = self.env["mail.notification"].with_user(self.sofia)
        values = {
            "mail_message_id": self.row.message_id.id,
            "gateway_channel_id": self.channel.id,
            "notification_type": "gateway",
            "gateway_type": "whatsapp",
        }
        self.refused(
            lambda: notes.create({**values, "notification_status": "whatsapp_read"})
        )
        self.refused(lambda: notes.with_user(self.tomas).create(values))
        self.refused(
            lambda: self.row.notification_id.with_user(self.people["system"]).write(
                {"notification_status": "whatsapp_read"}
            )
        )

    def test_an_administrator_s_action_sends_for_whoever_causes_it(self):
        template = self.template("Hello")
        action = self.env["ir.actions.server"].create(
            {
                "name": "Hello",
                "model_id": self.env.ref("crm.model_crm_lead").id,
                "state": "whatsapp",
                "whatsapp_template_id": template.id,
                "whatsapp_gateway_id": self.gateway.id,
            }
        )
        before = self.env["whatsapp.message.queue"].search_count([])
        plain = self.people["plain"]
        context = {"active_model": "crm.lead", "active_ids": self.lead.ids}
        action.with_user(plain).sudo().with_context(
            **context
        )._run_action_whatsapp_multi()
        self.assertEqual(
            self.env["whatsapp.message.queue"].search_count([]), before + 1
        )

    # ------------------------------------------------------------- others as before

    def test_portal_and_public_load_what_they_may_without_an_error(self):
        for kind in ("portal", "public"):
            user = self.people[kind]
            for model in ("discuss.channel", "discuss.channel.member"):
                found = self.env[model].with_user(user).search([])
                self.assertFalse(found.sudo().filtered("gateway_id")) if (
                    model == "discuss.channel"
                ) else self.assertFalse(found.sudo().channel_id.gateway_id)
        notes = self.env["mail.notification"].with_user(self.people["portal"])
        self.assertFalse(notes.search([]).sudo().gateway_channel_id)

    def test_other_gateways_are_left_alone(self):
        """OCA's other gateways, played by a number whose type is not WhatsApp."""
        channel = self.env["discuss.channel"].create(
            {"name": "Another", "channel_type": "gateway"}
        )
        plain = self.people["plain"]
        channel.add_members(partner_ids=plain.partner_id.ids)
        self.assertTrue(channel.with_user(plain).has_access("read"))
        self.assertIn(
            channel,
            self.env["discuss.channel"]
            .with_user(plain)
            .search([("channel_type", "=", "gateway")]),
        )
        guest = self.env["mail.guest"].create({"name": "Visitor"})
        self.assertTrue(guest.with_user(plain).has_access("read"))


@tagged(HTTP)
class TestInvitation(RightsCase, HttpCase):
    def test_the_link_of_an_invitation_lets_no_colleague_in(self):
        stranger = self.people["stranger"]
        stranger.password = "stranger in the browser"
        self.authenticate(stranger.login, stranger.password)
        with mute_logger("odoo.http"):
            answer = self.url_open(f"/chat/{self.channel.id}/{self.channel.uuid}")
        self.assertEqual(answer.status_code, 404)
        self.env.invalidate_all()
        partners = self.channel.channel_member_ids.partner_id
        self.assertNotIn(stranger.partner_id, partners)


@tagged(HTTP)
class TestOthersAsBefore(RightsCase, HttpCase):
    def test_discuss_and_contacts_load_for_everybody(self):
        contact = self.env["res.partner"].create({"name": "Someone"})
        self.env["res.partner.gateway.channel"].create(
            {
                "partner_id": contact.id,
                "gateway_id": self.gateway.id,
                "gateway_token": "5215512121212",
            }
        )
        contact.message_post(body="Hi", message_type="comment")
        for kind in ("plain", "clerk", "owner", "system"):
            user = self.people[kind]
            user.password = f"{user.login}-in-the-browser"
            self.authenticate(user.login, user.password)
            with self.subTest(kind):
                for route, params in self.loads(contact):
                    answer = self.make_jsonrpc_request(route, params)
                    self.assertIsNotNone(answer, route)
                views = self.env["discuss.channel"].with_user(user)
                views.get_views([(False, "search"), (False, "list")])
                form = self.env["res.partner"].with_user(user)
                form.get_views([(False, "form"), (False, "search")])
                values = contact.with_user(user).read(["name", "gateway_channel_ids"])
                self.assertEqual(values[0]["name"], "Someone")

    def loads(self, contact):
        data = (
            ("/mail/data", {"fetch_params": ["channels_as_member", "init_messaging"]})
            if compat.V19
            else (
                "/mail/action",
                {"channels_as_member": True, "init_messaging": {}},
            )
        )
        messages = {"thread_model": "res.partner", "thread_id": contact.id}
        return [data, ("/mail/thread/messages", messages)]


class _Undo(Exception):
    pass
