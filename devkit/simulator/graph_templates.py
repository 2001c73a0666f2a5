# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Message templates: `/{account_id}/message_templates` and `/{template_id}`."""

import json

from aiohttp import web

from . import actions, template_new
from .calls import account_for, endpoint, parsed
from .errors import Refusal, unknown_object
from .meta import Meta
from .paging import page, selected
from .state import App, Template

TEMPLATE_FIELDS = (
    "name",
    "parameter_format",
    "components",
    "language",
    "status",
    "category",
)


def template_values(template: Template) -> dict:
    own = ("id", *TEMPLATE_FIELDS, "rejected_reason")
    values = {name: getattr(template, name) for name in own}
    return values | {"quality_score": {"score": template.quality_score}}


def template_for(meta: Meta, app: App, template_id: str, method: str) -> Template:
    template = meta.state.templates.get(template_id)
    if template is None:
        raise unknown_object(template_id, method)
    account_for(meta, app, template.account_id, method)
    return template


@endpoint("templates")
async def template_node(meta: Meta, request: web.Request, app: App) -> web.Response:
    template = template_for(meta, app, request.match_info["node"], "get")
    values = template_values(template)
    return web.json_response(
        selected(request, values, TEMPLATE_FIELDS, "WhatsAppMessageTemplate")
    )


@endpoint("templates")
async def template_edit(meta: Meta, request: web.Request, app: App) -> web.Response:
    template = template_for(meta, app, request.match_info["node"], "post")
    values = await parsed(request)
    template_new.check_edit(template, values, meta.clock.now())
    components = values.get("components")
    if components is not None:
        template_new.check_components(
            components, template.parameter_format, meta.state.handles
        )
        template.components = components
    if template.status == "APPROVED":
        template.edited_at.append(meta.clock.now())
    template.category = values.get("category", template.category)
    template.status = "PENDING"
    _review(meta, template)
    return web.json_response({"success": True})


def _review(meta: Meta, template: Template) -> None:
    """Approve or refuse a template at once, as the settings say; else it waits."""
    if not meta.settings.auto_approve_templates:
        return
    template.status, template.rejected_reason = "APPROVED", "NONE"
    meta.background.spawn(
        meta.webhooks.publish([actions.template_change(meta, template)])
    )


@endpoint("templates")
async def template_list(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "get")
    found = []
    for template in meta.state.templates_of(account.id):
        values = template_values(template)
        if all(
            request.query.get(name, values[name]) == values[name]
            for name in ("name", "language", "status", "category")
        ):
            kind = "WhatsAppMessageTemplate"
            found.append(selected(request, values, TEMPLATE_FIELDS, kind))
    return web.json_response(page(request, found))


@endpoint("templates")
async def template_create(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "post")
    values = await parsed(request)
    if isinstance(values.get("components"), str):
        values["components"] = json.loads(values["components"])
    others = meta.state.templates_of(account.id)
    template_new.check_new(values, others, meta.state.handles)
    template = meta.new_template(
        account_id=account.id,
        name=values["name"],
        language=values["language"],
        category=values["category"],
        components=values["components"],
        parameter_format=values.get("parameter_format") or "POSITIONAL",
        status="PENDING",
    )
    _review(meta, template)
    return web.json_response(
        {
            "id": template.id,
            "status": template.status,
            "category": template.category,
        }
    )


@endpoint("templates")
async def template_delete(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "delete")
    query = dict(request.query) or await parsed(request)
    ids = query.get("hsm_ids") or ([query["hsm_id"]] if query.get("hsm_id") else [])
    if isinstance(ids, str):
        ids = json.loads(ids)
    if len(ids) > 100:
        raise Refusal(100, "hsm_ids: at most 100.")
    wanted = {str(identifier) for identifier in ids}
    name = query.get("name")
    if query.get("hsm_id") and not name:
        raise Refusal(100, "The parameter name is required.")
    doomed = [
        template.id
        for template in meta.state.templates_of(account.id)
        if not wanted or template.id in wanted
        if not name or template.name == name
    ]
    if not (wanted or name):
        raise Refusal(100, "The parameter name is required.")
    if not doomed:
        raise Refusal(100, "Message template was not found.", subcode=2593002)
    if any(meta.state.templates[one].status == "DISABLED" for one in doomed):
        raise Refusal(100, "A template that is disabled cannot be deleted.")
    for identifier in doomed:
        del meta.state.templates[identifier]
    return web.json_response({"success": True})
