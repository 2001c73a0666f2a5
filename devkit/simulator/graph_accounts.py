# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Numbers, accounts, apps and tokens: what health checks read, and subscriptions."""

from aiohttp import web

from .calls import account_for, endpoint, number_for, parsed
from .errors import Refusal, unknown_object
from .meta import Meta
from .paging import page, selected
from .state import Account, App, Number, Override


def _callbacks(app: App | None, account: Account, number: Number) -> dict:
    own = account.subscriptions.get(app.id) if app else None
    found = {}
    if app and app.callback_url:
        found["application"] = app.callback_url
    if own:
        found["whatsapp_business_account"] = own.callback_url
    if number.override:
        found["phone_number"] = number.override.callback_url
    return found


# What a WhatsApp Business account has to tell; Meta's page webhooks/overview, copy of
# 2026-09-11
WEBHOOK_FIELDS = (
    "account_alerts",
    "account_review_update",
    "account_settings_update",
    "account_update",
    "business_capability_update",
    "business_username_updates",
    "calls",
    "flows",
    "history",
    "message_template_components_update",
    "message_template_quality_update",
    "message_template_status_update",
    "messages",
    "messaging_handovers",
    "partner_solutions",
    "payment_configuration_update",
    "phone_number_name_update",
    "phone_number_quality_update",
    "security",
    "smb_app_state_sync",
    "smb_message_echoes",
    "standby",
    "template_category_update",
    "user_preferences",
)
NUMBER_FIELDS = (
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
    "webhook_configuration",
)


def number_values(meta: Meta, app: App, number: Number) -> dict:
    account = meta.state.account_of(number)
    return {
        "id": number.id,
        "display_phone_number": number.display,
        "verified_name": number.verified_name,
        "quality_rating": number.quality_rating,
        "quality_score": {"score": number.quality_rating},
        "throughput": {"level": number.throughput_level},
        "whatsapp_business_manager_messaging_limit": number.messaging_limit,
        "messaging_limit_tier": number.messaging_limit,
        "code_verification_status": number.code_verification_status,
        "name_status": number.name_status,
        "new_name_status": "NONE",
        "status": number.status if number.registered else "PENDING",
        "platform_type": "CLOUD_API" if number.registered else "NOT_APPLICABLE",
        "account_mode": "SANDBOX" if number.allowed_recipients is not None else "LIVE",
        "is_official_business_account": False,
        "is_pin_enabled": True,
        "is_on_biz_app": False,
        "last_onboarded_time": "2026-01-15T09:00:00+0000",
        "webhook_configuration": _callbacks(app, account, number),
        "health_status": {
            "can_send_message": "AVAILABLE" if number.registered else "BLOCKED"
        },
    }


def account_values(account: Account) -> dict:
    return {
        "id": account.id,
        "name": account.name,
        "currency": account.currency,
        "timezone_id": account.timezone_id,
        "account_review_status": account.review_status,
        "business_verification_status": "verified",
        "country": "ES",
        "message_template_namespace": "0" * 32,
        "owner_business_info": {"id": account.business_id, "name": account.name},
        "status": "ACTIVE",
        "health_status": {"can_send_message": "AVAILABLE"},
    }


@endpoint("number")
async def number_node(meta: Meta, request: web.Request, app: App) -> web.Response:
    number = number_for(meta, app, request.match_info["node"], "get")
    values = number_values(meta, app, number)
    kind = "WhatsAppBusinessPhoneNumber"
    return web.json_response(selected(request, values, NUMBER_FIELDS, kind))


@endpoint("number")
async def number_edit(meta: Meta, request: web.Request, app: App) -> web.Response:
    """POST /{phone_number_id} sets the callback of this number alone."""
    number = number_for(meta, app, request.match_info["node"], "post")
    wanted = (await parsed(request)).get("webhook_configuration")
    if wanted is None:
        raise Refusal(100, "The parameter webhook_configuration is required.")
    number.override = await _override(meta, wanted)
    return web.json_response({"success": True})


@endpoint("account")
async def account_node(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "get")
    default = ("name", "currency", "timezone_id", "message_template_namespace")
    values = account_values(account)
    return web.json_response(
        selected(request, values, default, "WhatsAppBusinessAccount")
    )


@endpoint("account")
async def app_node(meta: Meta, request: web.Request, app: App) -> web.Response:
    if request.match_info["node"] != app.id:
        raise unknown_object(request.match_info["node"])
    return web.json_response({"id": app.id, "name": app.name})


async def _override(meta: Meta, values: dict) -> Override | None:
    """A verified callback override; None if the values name none."""
    url = values.get("override_callback_uri")
    if not url:
        return None
    override = Override(url, values.get("verify_token", ""))
    result = await meta.webhooks.verify(url, override.verify_token)
    if not result["ok"]:
        raise Refusal(
            100,
            "Callback verification failed with the following errors: "
            f"HTTP Status Code = {result['http']}; {result['error'] or ''}",
            subcode=2200,
        )
    return override


@endpoint("account")
async def number_list(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "get")
    kind = "WhatsAppBusinessPhoneNumber"
    found = [
        selected(request, number_values(meta, app, number), NUMBER_FIELDS, kind)
        for number in meta.state.numbers_of(account.id)
    ]
    return web.json_response(page(request, found))


@endpoint("account")
async def subscription_list(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "get")
    found = []
    for app_id, override in account.subscriptions.items():
        subscribed = meta.state.apps[app_id]
        entry = {
            "whatsapp_business_api_data": {
                "id": app_id,
                "name": subscribed.name,
                "link": f"https://www.facebook.com/games/?app_id={app_id}",
            }
        }
        if override:
            entry["override_callback_uri"] = override.callback_url
        found.append(entry)
    return web.json_response({"data": found})


@endpoint("account")
async def subscribe(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "post")
    override = await _override(meta, await parsed(request))
    account.subscriptions[app.id] = override
    return web.json_response({"success": True})


@endpoint("account")
async def unsubscribe(meta: Meta, request: web.Request, app: App) -> web.Response:
    account = account_for(meta, app, request.match_info["node"], "delete")
    account.subscriptions.pop(app.id, None)
    return web.json_response({"success": True})


@endpoint("app", of_app=True)
async def app_subscriptions(meta: Meta, request: web.Request, app: App) -> web.Response:
    """GET /{app_id}/subscriptions: the callback, and the fields that it is for."""
    _check_own(request, app)
    if not app.callback_url:
        return web.json_response({"data": []})
    names = WEBHOOK_FIELDS if app.fields is None else app.fields
    entry = {
        "object": "whatsapp_business_account",
        "callback_url": app.callback_url,
        "active": app.webhook_active,
        "fields": [{"name": name, "version": "v25.0"} for name in names],
    }
    return web.json_response({"data": [entry]})


@endpoint("app", of_app=True)
async def app_subscribe(meta: Meta, request: web.Request, app: App) -> web.Response:
    """POST /{app_id}/subscriptions: a new callback, verified at once."""
    _check_own(request, app)
    values = await parsed(request)
    for name in ("object", "callback_url", "verify_token"):
        if not values.get(name):
            raise Refusal(100, f"The parameter {name} is required.")
    wanted = values.get("fields")
    names = wanted.split(",") if isinstance(wanted, str) else wanted
    if unknown := set(names or ()) - set(WEBHOOK_FIELDS):
        raise Refusal(100, f"Unknown webhook fields: {', '.join(sorted(unknown))}")
    await _override(
        meta,
        {
            "override_callback_uri": values["callback_url"],
            "verify_token": values["verify_token"],
        },
    )
    app.callback_url, app.verify_token = values["callback_url"], values["verify_token"]
    app.webhook_active = True
    if names:
        app.fields = list(names)
    return web.json_response({"success": True})


def _check_own(request: web.Request, app: App) -> None:
    node = request.match_info["node"]
    if node != app.id:
        raise unknown_object(node, request.method.lower())


@endpoint("app")
async def debug_token(meta: Meta, request: web.Request, app: App) -> web.Response:
    asked = request.query.get("input_token")
    if not asked:
        raise Refusal(100, "The parameter input_token is required.")
    owner = meta.state.app_of_token(asked)
    if owner is None:
        problem = {"code": 190, "message": "Invalid OAuth access token."}
        return web.json_response(
            {"data": {"error": problem, "is_valid": False, "scopes": []}}
        )
    ends = owner.token_expires_at
    over = ends and ends <= meta.clock.seconds()
    targets = [a.id for a in meta.state.accounts.values() if owner.id in a.app_ids]
    return web.json_response(
        {
            "data": {
                "app_id": owner.id,
                "type": owner.token_type,
                "application": owner.name,
                "data_access_expires_at": owner.token_data_expires_at,
                "expires_at": ends,
                "is_valid": owner.token_valid and not over,
                "issued_at": meta.clock.seconds() - 86400,
                "scopes": owner.token_scopes,
                "granular_scopes": [
                    {"scope": scope, "target_ids": targets}
                    for scope in owner.token_scopes
                ],
            }
        }
    )
