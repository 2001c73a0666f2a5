# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The 18.0 WhatsApp gateway on Odoo 19.0: the smallest set of changes.

A table of exact replacements. Each must match as often as it says, so that a new
wheel fails loudly instead of working by half. OCA's own tests of the module, run on
19.0, say whether the set is right. It rests unused as soon as the package index has
a 19.0 release.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from devkit.console import Failure


@dataclass(frozen=True)
class Rule:
    """Replace `old` by `new` in one file, where it stands exactly `times` times."""

    file: str
    old: str
    new: str
    times: int = 1


_GATEWAY = "mail_gateway"
_WHATSAPP = "mail_gateway_whatsapp"
_TEMPLATE = f"{_WHATSAPP}/models/mail_whatsapp_template.py"
_SENDER = f"{_WHATSAPP}/models/mail_gateway_whatsapp.py"
_PARTNER = f"{_WHATSAPP}/models/res_partner.py"
_MESSAGE = f"{_WHATSAPP}/static/src/components/message"
_TEST = f"{_WHATSAPP}/tests/test_mail_gateway_whatsapp.py"


def _constraint(name: str, last_words: str, comma: str = "") -> tuple[Rule, Rule]:
    """19.0 ignores the old list of constraints: declare this one in the new way."""
    return (
        Rule(
            _TEMPLATE,
            f'_sql_constraints = [\n        (\n            "{name}",',
            f"_{name} = models.Constraint(",
        ),
        Rule(
            _TEMPLATE,
            f'{last_words}",\n        ){comma}\n    ]',
            f'{last_words}",\n    )',
        ),
    )


# 19.0 dropped the partner's field, which actions and the guest wizard use.
_MOBILE = """

    mobile = fields.Char()

    def _onchange_mobile_validation(self):
        if self.mobile:
            self.mobile = (
                self._phone_format(fname="mobile", force_format="INTERNATIONAL")
                or self.mobile
            )
"""

WHATSAPP_RULES = (
    Rule(f"{_WHATSAPP}/__manifest__.py", '"18.0.2.2.0"', '"19.0.2.2.0"'),
    Rule(_PARTNER, "from odoo import models", "from odoo import fields, models"),
    Rule(
        _PARTNER,
        '"res.partner"]\n',
        f'"res.partner"]{_MOBILE}',
    ),
    *_constraint("unique_name_gateway_id", "for Gateway."),
    *_constraint("name_type_template_unique", "unique by template", comma=","),
    *_constraint("unique_name_per_template", "unique by template"),
    # A reply to a message that belongs to a record.
    Rule(
        _SENDER,
        "from odoo.addons.base.models.ir_mail_server import",
        "from odoo.addons.mail.tools.discuss import Store\n"
        "from odoo.addons.base.models.ir_mail_server import",
    ),
    Rule(
        _SENDER,
        "new_message._bus_send_store(",
        "Store(bus_channel=new_message._bus_channel()).add(",
    ),
    Rule(
        _SENDER,
        '"gateway_thread_data": gateway_thread_data,\n'
        "                        },\n                    )",
        '"gateway_thread_data": gateway_thread_data,\n'
        "                        },\n                    ).bus_send()",
    ),
    # Otherwise a conversation stays empty, without any error.
    Rule(
        f"{_MESSAGE}/message.xml",
        "message.notifications.length",
        "message.notification_ids.length",
    ),
    # Otherwise every author has the WhatsApp icon.
    Rule(
        f"{_MESSAGE}/message_patch.esm.js",
        '!["partner", "guest"].includes(this.message.author?.type)',
        "!this.message.author",
    ),
    # Its tests: what 19.0's base class and message bodies are.
    Rule(
        _TEST,
        "from odoo.tests import Form,",
        "from odoo.tests import Form, HttpCase,",
    ),
    Rule(
        _TEST,
        "class TestMailGatewayWhatsApp(MailGatewayTestCase)",
        "class TestMailGatewayWhatsApp(MailGatewayTestCase, HttpCase)",
    ),
    Rule(_TEST, "<p>Demo template</p>", "<span>Demo template</span>"),
    Rule(_TEST, "<p>Body test</p>", "<span>Body test</span>"),
)

# Rendering from inside a render leaves every conversation empty.
GATEWAY_RULES = (
    Rule(
        f"{_GATEWAY}/static/src/core/common/thread_actions.esm.js",
        "owner.render?.();",
        "",
        times=2,
    ),
)


def adapt(folder: Path, rules: Iterable[Rule]) -> None:
    """Apply the rules to the addons in `folder`; all of them, or a Failure."""
    texts: dict[Path, str] = {}
    for rule in rules:
        path = folder / rule.file
        if path not in texts:
            texts[path] = _read(path)
        found = texts[path].count(rule.old)
        if found != rule.times:
            raise Failure(
                f"the adaptation to 19.0 does not fit {rule.file}: {rule.old!r} "
                f"stands there {found} times, not {rule.times}"
            )
        texts[path] = texts[path].replace(rule.old, rule.new)
    for path, text in texts.items():
        path.write_text(text)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise Failure(f"the adaptation to 19.0 misses {path.name}") from error
