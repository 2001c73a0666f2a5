# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""All that must differ between Odoo 18.0 and 19.0, in one file."""

from collections.abc import Iterable

from odoo import release
from odoo.sql_db import Cursor

V19 = release.version_info[0] >= 19
GROUPS = "group_ids" if V19 else "groups_id"  # of a user; who may print with a report
ALL_GROUPS = "all_group_ids" if V19 else "groups_id"  # of a user, with implied ones
USERS = "user_ids" if V19 else "users"  # of a group, without those that imply it


def unique(name, definition, message):
    """Return the class attributes that declare one UNIQUE constraint.

    :param str name: name of the constraint, without the table's prefix
    :param str definition: SQL, such as ``UNIQUE(key)``
    :param str message: what the user reads when it is violated
    :return: dict to be merged into a model's class body by ``vars().update()``
    """
    if V19:
        from odoo.models import Constraint

        return {f"_{name}": Constraint(definition, message)}
    return {"_sql_constraints": [(name, definition, message)]}


def no_constraints(*names):
    """Return the class attributes that take SQL constraints of the base away.

    They cannot be left out by inheritance: a condition that always holds stands in
    their place.

    :param names: of the constraints, without the table's prefix
    :return: dict to be merged into a model's class body by ``vars().update()``
    """
    if V19:
        from odoo.models import Constraint

        return {f"_{name}": Constraint("CHECK (TRUE)") for name in names}
    return {"_sql_constraints": [(name, "CHECK (TRUE)", "") for name in names]}


def is_real_cursor(cr):
    """Tell whether ``cr`` has a transaction of its own.

    A test cursor is a savepoint in the transaction of the test: its isolation
    level is given, and its commits last as long as the test.
    """
    return isinstance(cr, Cursor)


def is_true(operator, value):
    """Tell whether a search by a boolean asks for what is true.

    18.0 asks with = and !=, 19.0 with 'in' and a set.
    """
    values = value if isinstance(value, Iterable) else [value]
    return (operator in ("=", "in")) == any(values)


def check_files(attachments):
    """Refuse files that the user may not read, by whom or what they belong to.

    :param attachments: ``ir.attachment``; 18.0 has a method of its own for them
    :raise AccessError: there is one
    """
    if V19:
        attachments.check_access("read")
    else:
        attachments.check("read")


def all_of(domain):
    """Return a domain as one term, its implicit 'and' made explicit.

    :param domain: list of leaves and operators
    """
    if V19:
        from odoo.fields import Domain

        return list(Domain(domain))
    from odoo.osv import expression

    return expression.normalize_domain(domain)


def cache_values(record, values):
    """Let what was just written of a record be known without reading it.

    :param record: one record
    :param dict values: name of a field -> value, as the cache has it
    """
    for name, value in values.items():
        field = record._fields[name]
        if V19:
            field._insert_cache(record, [value])
        else:
            record.env.cache.insert_missing(record, field, [value])


def is_cached(record, name):
    """Tell whether the value of a field of one record is known without a query."""
    field = record._fields[name]
    if V19:
        return record.id in field._get_cache(record.env)
    return record.env.cache.contains(record, field)


def cache_model(env, name):
    """Let Odoo read no row of ``ir.model`` to learn the name of a model.

    :param str name: of the model
    """
    cache_values(env["ir.model"]._get(name), {"model": name})


def users_of(group):
    """Return the users of a group, those of groups that imply it included."""
    return group.all_user_ids if V19 else group.users


def store_values(store, record, values):
    """Add attributes of a record to what the web client is given.

    :param store: Odoo's ``Store``
    :param record: one record
    :param dict values: attribute -> JSON value
    """
    if hasattr(store, "add_model_values"):
        store.add_model_values(record._name, {"id": record.id, **values})
    else:
        store.add(record, values)


def mention_suggestions(partners, channel, values):
    """Return whom one can mention, as the web client is told.

    :param partners: ``res.partner``
    :param channel: ``discuss.channel``
    :param dict values: attributes of the conversation's thread
    """
    from odoo.addons.mail.tools.discuss import Store

    store = Store()
    if V19:
        store.add(partners, extra_fields=partners._get_store_mention_fields())
    else:
        store.add(partners)
    store_values(store, channel, values)
    return store.get_result()


def bus_send_attachments(channel, message):
    """Show the attachments of a message in the clients that have it open."""
    from odoo.addons.mail.tools.discuss import Store

    if V19:
        Store(bus_channel=channel._bus_channel()).add(
            message, [Store.Many("attachment_ids")]
        ).bus_send()
    else:
        channel._bus_send_store(
            message, {"attachment_ids": Store.many(message.attachment_ids)}
        )


def bus_send_record(channel, record):
    """Show a record in the clients that have a conversation open.

    :param channel: ``discuss.channel``
    :param record: of a model that the web client knows, with what it is told of it
    """
    from odoo.addons.mail.tools.discuss import Store

    if V19:
        Store(bus_channel=channel._bus_channel()).add(record).bus_send()
    else:
        channel._bus_send_store(record)


def vacuum_again(env, left):
    """Have the vacuum go on soon if something is left; 19.0 does so by itself."""
    if left and not V19:
        # sudo: ir.cron - the vacuum runs as the administrator
        env.ref("base.autovacuum_job").sudo()._trigger()


def bus_send_body(channel, message):
    """Show the changed text of a message in the clients that have it open."""
    _bus_send(channel, message, {"body": message.body}, ["body"])


def bus_send_values(message, values):
    """Show attributes of a message in the clients that have it open.

    :param dict values: attribute -> JSON value
    """
    _bus_send(message, message, values, values)


def _bus_send(channel, message, values, names):
    from odoo.addons.mail.tools.discuss import Store

    if V19:
        Store(bus_channel=channel._bus_channel()).add(message, names).bus_send()
    else:
        channel._bus_send_store(message, values)
