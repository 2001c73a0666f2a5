# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""An expression shows values, and does nothing else."""

import pytest
from tools.expression import VALUE, NotAllowed, check

FIELDS = {
    ("order", "partner"): "partner",
    ("order", "user"): "res.users",
    ("order", "total"): VALUE,
    ("order", "currency"): "currency",
    ("order", "date"): VALUE,
    ("partner", "name"): VALUE,
    ("partner", "title"): "title",
    ("title", "name"): VALUE,
    ("res.users", "name"): VALUE,
}


def field_of(model, name):
    if name == "password":
        raise NotAllowed("hidden", name)
    if (model, name) not in FIELDS:
        raise NotAllowed("field", name)
    return FIELDS[model, name]


@pytest.mark.parametrize(
    "text",
    [
        "object.partner.name",
        "object.partner.name.split(' ')[0].title()",
        "(object.partner.name or object.user.name).upper()",
        "(object.partner or object.user).name",
        "object.partner[0].name",
        "object.partner[:1].name",
        "user.name if object.total > 100 else 'you'",
        "format_amount(object.total, object.currency)",
        "format_date(object.date, date_format='d MMM')",
        "object.date.strftime('%d/%m')",
        "str(round(object.total * 1.16, 2)) + ' MXN'",
        "'%s, %s' % (object.partner.name, len(object.partner.name))",
        "', '.join([object.partner.name, object.user.name])",
        "f'{object.partner.name}!'",
        "object.partner.title.name",
    ],
)
def test_what_shows_values_is_allowed(text):
    check(text, "order", field_of)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("object.", "syntax"),
        ("object.name; 1", "syntax"),
        ("", "syntax"),
        ("(" * 300 + ")" * 300, "syntax"),
        ("env['ir.config_parameter']", "name"),
        ("ctx", "name"),
        ("datetime", "name"),
        ("object.env", "field"),
        ("object.sudo().partner", "method"),
        ("object.partner.password", "hidden"),
        ("(object.partner or object.user).password", "hidden"),
        ("(object.partner or '').env", "method"),
        ("'%(password)s' % object.partner", "method"),
        ("'%(password)s' % (object.partner or '')", "method"),
        ("object.partner['password']", "method"),
        ("object.partner[object.total]", "method"),
        ("object.partner.mapped('password')", "method"),
        ("object.partner.write({'name': 'x'})", "method"),
        ("object.partner.title()", "method"),
        ("[object][0].env", "method"),
        ("[object][0].partner", "method"),
        ("max(object, object).env", "method"),
        ("[object][0]['password']", "method"),
        ("(object,)[0]['password']", "method"),
        ("{'a': object}['a']['password']", "method"),
        ("[[object]][0][0]['password']", "method"),
        ("([object] + [user])[0]['password']", "method"),
        ("min(object, object)['password']", "method"),
        ("max(object.partner, default=user)['password']", "method"),
        ("'%(password)s' % [object][0]", "method"),
        ("'%(password)s' % max(user, user)", "method"),
        ("9 ** 9 ** 9", "method"),
        ("1 << 9999999999", "method"),
        ("'{0.env}'.format(object)", "method"),
        ("'{0.env}'.format_map({})", "method"),
        ("str.format('{0.env}', object)", "name"),
        ("object.partner.name.__class__", "method"),
        ("getattr(object, 'env')", "method"),
        ("hasattr(object, 'env')", "method"),
        ("(lambda: object)()", "method"),
        ("[x for x in object]", "method"),
        ("str(**object.partner.name)", "method"),
        ("str(*object)", "method"),
        ("(x := object)", "method"),
        ("f'{object.env}'", "field"),
        ("object.partner.name[object.env]", "field"),
    ],
)
def test_what_does_more_is_refused(text, reason):
    with pytest.raises(NotAllowed) as caught:
        check(text, "order", field_of)
    assert caught.value.reason == reason
    assert str(caught.value)
