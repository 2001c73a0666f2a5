# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Two numbers, each with its own people: what is the one's is none of the other's."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .. import compat
from .common import HTTP, GatewayCase

GATEWAY_USER = "base.group_user,mail_gateway.gateway_user"
BOB = {"from": "5215599999999", "name": "Bob Free", "bsuid": "MX.2"}
RULES = ("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")


class NobodyElseCase(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.office, cls.mate, cls.second, cls.clerk, cls.plain = (
            new_test_user(cls.env, login=login, groups=groups)
            for login, groups in (
                ("office", GATEWAY_USER),
                ("mate", f"{GATEWAY_USER},base.group_partner_manager"),
                ("second", f"{GATEWAY_USER},base.group_partner_manager"),
                ("clerk", GATEWAY_USER),
                ("plain", "base.group_user"),
            )
        )
        cls.portal = new_test_user(cls.env, login="portal", groups="base.group_portal")
        cls.gateway.member_ids = cls.office | cls.mate
        cls.other = cls.gateway.copy(
            {
                "name": "Second",
                "token": "EAAsecond",
                "whatsapp_from_phone": "10002",
                "member_ids": [(6, 0, cls.second.ids)],
                "integrated_webhook_state": "integrated",
            }
        )

    def set_scene(self):
        super().set_scene()
        self.channel = self.receive(self.message(content="Hello"))
        self.guest = self.channel.channel_member_ids.guest_id
        self.said = self.channel.message_ids.filtered("whatsapp_message_id")

    def responsible(self, channel):
        return self.office

    def refused(self, call, error=AccessError):
        with self.assertRaises(error), self.env.cr.savepoint(), mute_logger(*RULES):
            call()
            self.env.flush_all()
        self.env.invalidate_all()

    # ------------------------------------------------------------- another's number

    def compose(self, user, gateway):
        partner = self.env["res.partner"].create(
            {"name": "Zoe", "phone": "+52 55 7777 0001"}
        )
        return (
            self.env["whatsapp.composer"]
            .with_user(user)
            .create(
                {
                    "res_model": "res.partner",
                    "res_id": partner.id,
                    "number_field_name": "phone",
                    "gateway_id": gateway.id,
                    "template_id": self.template(
                        gateway_id=gateway.id, name=f"{user.login} {gateway.id}"
                    ).id,
                    "body": "Hello",
                }
            )
        )

    def link(self, user, **values):
        partner = self.env["res.partner"].create({"name": "Somebody"})
        values = {
            "partner_id": partner.id,
            "gateway_id": self.gateway.id,
            "gateway_token": self.channel.gateway_channel_token,
            **values,
        }
        return self.env["res.partner.gateway.channel"].with_user(user).create(values)


class TestNobodyElse(NobodyElseCase):
    def test_one_writes_first_from_the_own_numbers_only(self):
        for user in (self.office, self.clerk):
            composer = self.compose(user, self.other)
            self.refused(composer.action_send_whatsapp)
        self.compose(self.second, self.other).action_send_whatsapp()
        self.send_due()
        self.assertEqual(len(self.meta.sent), 1)
        admin = self.env.ref("base.user_admin")
        self.compose(admin, self.gateway).action_send_whatsapp()

    # ------------------------------------------------------------- who it is

    def test_who_a_customer_is_says_who_sees_the_conversation(self):
        for user in (self.second, self.clerk):
            self.refused(lambda u=user: self.link(u))
        unknown = {"gateway_token": "5215511110000"}
        self.refused(lambda: self.link(self.second, **unknown))
        self.link(self.mate, **unknown)
        link = self.link(self.mate)
        stranger = self.env["res.partner"].create({"name": "Stranger"})
        for call in (
            link.with_user(self.second).unlink,
            lambda: link.with_user(self.second).write({"partner_id": stranger.id}),
        ):
            self.refused(call)
        link.with_user(self.mate).write({"partner_id": stranger.id})
        link.with_user(self.mate).unlink()

    def test_a_customer_is_no_contact_that_one_may_not_edit(self):
        """Of the contact the dialog of templates shows what the template names."""
        company = self.env["res.company"].create({"name": "Other"})
        theirs = self.env["res.partner"].create(
            {"name": "Theirs", "company_id": company.id, "email": "x@private.example"}
        )
        self.refused(lambda: self.link(self.mate, partner_id=theirs.id))
        self.refused(lambda: self.link(self.office))  # may not edit contacts
        link = self.link(self.mate)
        self.refused(lambda: link.write({"partner_id": theirs.id}))

    # ------------------------------------------------------------- who said what

    def test_nobody_speaks_for_the_customer_or_a_colleague(self):
        messages = self.env["mail.message"].with_user(self.office)
        values = {
            "model": "discuss.channel",
            "res_id": self.channel.id,
            "message_type": "comment",
            "body": "I pay the double",
        }
        mate = self.mate.partner_id
        long_ago = fields.Datetime.now() - timedelta(hours=3)
        channel = self.channel.with_user(self.office)
        for forged in (
            {"author_guest_id": self.guest.id},
            {"author_id": mate.id},
            {"author_id": False, "email_from": "Ana <ana@example.com>"},
            {"date": long_ago},
        ):
            self.refused(lambda v=forged: messages.create({**values, **v}))
        own = self.answer(channel).message_id.with_user(self.office)
        for unsent in (True, False):
            # as a call over RPC may say, which sends nothing then
            talk = channel.with_context(no_gateway_notification=unsent)
            for forged in (
                {"author_id": mate.id},
                {"email_from": mate.email_formatted},
                {"date": long_ago},
            ):
                self.refused(
                    lambda v=forged, t=talk: t.message_post(
                        body="I pay", message_type="comment", **v
                    )
                )
        for message in (self.said.with_user(self.office), own):
            for forged in (
                {"body": "I pay the double"},
                {"date": long_ago},
                {"author_guest_id": self.guest.id},
                {"author_id": mate.id},
            ):
                self.refused(lambda m=message, v=forged: m.write(v))
        note = messages.create({"body": "Elsewhere", "author_guest_id": self.guest.id})
        self.refused(
            lambda: note.with_user(self.env.ref("base.user_admin")).write(
                {"model": "discuss.channel", "res_id": self.channel.id}
            )
        )
        self.assertEqual(self.texts(self.channel), ["Hello", "Hello"])

    def test_what_a_customer_said_is_deleted_by_administrators_only(self):
        self.refused(self.said.with_user(self.office).unlink)
        self.said.with_user(self.env.ref("base.user_admin")).unlink()

    # ------------------------------------------------------------- names

    def test_no_field_of_another_record_tells_the_customer_s_name(self):
        """Odoo reads the name of what a field names with all rights."""
        self.assertEqual(self.said.record_name, self.channel.name)
        for model, values, names in (
            ("mail.guest.manage", {"guest_id": self.guest.id}, ["guest_id"]),
            ("mail.message.gateway.link", {"message_id": self.said.id}, ["message_id"]),
            (
                "mail.message",
                {
                    "body": "x",
                    "author_guest_id": self.guest.id,
                    "parent_id": self.said.id,
                },
                ["author_guest_id", "parent_id"],
            ),
        ):
            for user, shown in (
                (self.plain, False),
                (self.second, False),
                (self.office, True),
            ):
                record = self.env[model].with_user(user).create(values)
                self.env.flush_all()
                self.env.invalidate_all()
                read = record.read(names)[0]
                for name in names:
                    told = self.channel.name in (read[name][1] or "")
                    # 19.0 calls no message by its conversation
                    may = shown and ("guest" in name or not compat.V19)
                    with self.subTest(f"{model} {name} {user.login}"):
                        self.assertEqual(told, may)

    def test_a_dialog_tells_nothing_before_it_is_stored(self):
        self.channel.whatsapp_opt_out = True
        row = self.answer(self.channel, "Private answer")
        name = {"fields": {"display_name": {}}}
        for model, about, spec in (
            ("whatsapp.send.template", {"channel_id": self.channel.id}, "opt_out"),
            ("whatsapp.edit.message", {"row_id": row.id}, "reason"),
        ):
            field = next(iter(about))
            spec = {field: name, spec: {}}
            for user in (self.plain, self.second):
                dialogs = self.env[model].with_user(user)
                by_default = dialogs.with_context(
                    **{f"default_{key}": value for key, value in about.items()}
                )
                self.refused(lambda d=by_default, s=spec: d.onchange({}, [], s))
                self.refused(
                    lambda d=dialogs, a=about, s=spec: d.onchange(a, list(a), s)
                )
            own = self.env[model].with_user(self.office)
            shown = own.with_context(**{f"default_{field}": about[field]})
            self.assertIn(
                self.channel.name,
                shown.onchange({}, [], spec)["value"][field]["display_name"],
            )

    def test_an_activity_names_no_conversation_or_rule(self):
        self.refused(
            lambda: (
                self.env["mail.activity"]
                .with_user(self.office)
                .create(
                    {
                        "res_model_id": self.env["ir.model"]._get_id("res.users"),
                        "res_id": self.office.id,
                        "whatsapp_automation_id": 1,
                    }
                )
            )
        )


@tagged(HTTP)
class TestInvitation(NobodyElseCase, HttpCase):
    def test_the_link_of_an_invitation_lets_nobody_in(self):
        url = f"/chat/{self.channel.id}/{self.channel.uuid}"
        before = self.channel.channel_member_ids
        guests = self.env["mail.guest"].search_count([])
        for user in (self.second, self.clerk, self.plain, self.portal, None):
            self.authenticate(user and user.login, user and user.login)
            with self.subTest(user and user.login), mute_logger("odoo.http"):
                answer = self.url_open(url)
                self.assertEqual(answer.status_code, 404)
                self.assertNotIn(self.channel.name, answer.text)
        self.env.invalidate_all()
        self.assertEqual(self.channel.channel_member_ids, before)
        self.assertEqual(self.env["mail.guest"].search_count([]), guests)
        self.refused(lambda: self.channel.with_user(self.second).read(["name"]))
        self.authenticate("office", "office")
        self.assertEqual(self.url_open(url).status_code, 200)
