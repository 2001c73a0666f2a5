# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Expressions that fill a template's variables: what they may do, before they are run.

An expression shows values of fields and changes texts, nothing else: it reaches no
environment, no method of a record and no field that is for administrators.
"""

import ast

from .terms import _

RECORDS = {"object": None, "user": "res.users"}  # None: the template's model
FUNCTIONS = {
    "abs",
    "format_amount",
    "format_date",
    "format_datetime",
    "format_time",
    "len",
    "max",
    "min",
    "round",
    "str",
}
# Of texts, numbers and dates. Not 'format': its text would reach any attribute.
METHODS = {
    "capitalize",
    "date",
    "day",
    "endswith",
    "hour",
    "isoformat",
    "join",
    "lower",
    "lstrip",
    "minute",
    "month",
    "partition",
    "replace",
    "rsplit",
    "rstrip",
    "split",
    "startswith",
    "strftime",
    "strip",
    "title",
    "upper",
    "weekday",
    "year",
    "zfill",
}
VALUE = ""  # what is no record
CHILDREN = (ast.BinOp, ast.BoolOp, ast.IfExp, ast.JoinedStr, ast.FormattedValue)
HOLDERS = (ast.List, ast.Tuple, ast.Dict)  # what is taken out may be a record
PLAIN = (ast.Compare, ast.UnaryOp)
CHOOSING = {"max", "min"}  # functions whose result is one of what they get
ENDLESS = {ast.Pow: "**", ast.LShift: "<<"}  # a few digits of them fill the memory
# Sources for translation. There is no environment here: the models translate.
# pylint: disable=prefer-env-translation
FAULTS = {
    "syntax": _("The expression cannot be read: “%(name)s”."),
    "name": _(
        "An expression does not know “%(name)s”. It begins with “object”, the record"
        " from which the template is sent, or with “user”."
    ),
    "field": _("There is no field “%(name)s” there."),
    "hidden": _(
        "The field “%(name)s” is not shown to customers: it is for administrators only."
    ),
    "method": _("An expression may not use “%(name)s”."),
}
# pylint: enable=prefer-env-translation


class NotAllowed(ValueError):
    """The expression does what it may not; `source % values` says what."""

    def __init__(self, reason, name):
        self.reason = reason
        self.source = FAULTS[reason]
        self.values = {"name": name}
        super().__init__(self.source % self.values)


def check(text, model, field_of):
    """Raise NotAllowed unless an expression only shows values.

    :param str text: one expression, without its braces
    :param str model: name of the template's model
    :param field_of: function of a model and a name: the model that the field leads to,
        VALUE if it is no record; raises NotAllowed

    >>> field_of = {("m", "partner"): "p", ("p", "name"): VALUE}
    >>> look = lambda model, name: field_of[model, name]
    >>> check("object.partner.name.split(' ')[0] or 'you'", "m", look)
    >>> check("object.partner.env", "m", look)
    Traceback (most recent call last):
    ...
    KeyError: ('p', 'env')
    >>> check("[object.partner][0]['secret']", "m", look)
    Traceback (most recent call last):
    ...
    tools.expression.NotAllowed: An expression may not use “[]”.
    >>> check("9 ** 9 ** 9", "m", look)
    Traceback (most recent call last):
    ...
    tools.expression.NotAllowed: An expression may not use “**”.
    >>> check("object.partner.name.format(object)", "m", look)
    Traceback (most recent call last):
    ...
    tools.expression.NotAllowed: An expression may not use “format”.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NotAllowed("syntax", text) from None
    _Reader(model, field_of).kinds(tree.body)


class _Reader:
    def __init__(self, model, field_of):
        self.model = model
        self.field_of = field_of

    def kinds(self, node):
        """The models, or VALUE, that a part of an expression can be."""
        if isinstance(node, ast.Constant):
            return {VALUE}
        if isinstance(node, ast.Name):
            if node.id not in RECORDS:
                raise NotAllowed("name", node.id)
            return {RECORDS[node.id] or self.model}
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        if not isinstance(node, (*CHILDREN, *HOLDERS, *PLAIN)):
            raise NotAllowed("method", type(node).__name__)
        if isinstance(node, ast.BinOp) and type(node.op) in ENDLESS:
            raise NotAllowed("method", ENDLESS[type(node.op)])
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            # '%(name)s' would read any field of a record
            if self.kinds(node.right) != {VALUE}:
                raise NotAllowed("method", "%")
        found = set()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                found |= self.kinds(child)
        if isinstance(node, HOLDERS):
            return found | {VALUE}
        return found if found and isinstance(node, CHILDREN) else {VALUE}

    def _attribute(self, node):
        found = set()
        for kind in sorted(self.kinds(node.value)):
            if kind == VALUE:
                if node.attr not in METHODS:
                    raise NotAllowed("method", node.attr)
                found.add(VALUE)
            else:
                found.add(self.field_of(kind, node.attr))
        return found

    def _call(self, node):
        found = set()
        for argument in (*node.args, *(word.value for word in node.keywords)):
            found |= self.kinds(argument)
        if any(word.arg is None for word in node.keywords):
            raise NotAllowed("method", "**")
        function = node.func
        if isinstance(function, ast.Name):
            if function.id not in FUNCTIONS:
                raise NotAllowed("method", function.id)
            if function.id in CHOOSING:
                return found | {VALUE}
        elif isinstance(function, ast.Attribute):
            # of a record nothing is called, not even what a field is
            if self.kinds(function.value) != {VALUE}:
                raise NotAllowed("method", function.attr)
            self.kinds(function)
        else:
            raise NotAllowed("method", "()")
        return {VALUE}

    def _subscript(self, node):
        found = self.kinds(node.value)
        parts = ast.walk(node.slice)
        is_place = all(
            isinstance(part, (ast.Slice, ast.UnaryOp, ast.USub, ast.Constant))
            and not isinstance(getattr(part, "value", 0), str)
            for part in parts
        )
        if found != {VALUE} and not is_place:
            raise NotAllowed("method", "[]")
        if not is_place:
            self.kinds(node.slice)
        return found
