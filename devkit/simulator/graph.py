# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Meta's side: the routes under graph.facebook.com, with or without `/vNN.N`."""

from aiohttp import web

from . import graph_accounts as accounts
from . import graph_media as media
from . import graph_templates as templates
from . import graph_uploads as uploads
from .calls import META, endpoint
from .errors import Refusal, unknown_object
from .graph_messages import messages
from .meta import Meta
from .state import App


@endpoint("any")
async def unknown(meta: Meta, request: web.Request, app: App) -> web.Response:
    raise unknown_object(request.match_info["node"], request.method.lower())


@endpoint("any")
async def lost(meta: Meta, request: web.Request, app: App) -> web.Response:
    path = request.path.lstrip("/")
    raise Refusal(
        2500, http=400, message=f"Unknown path components: /{path}", details=""
    )


NODES = {
    "GET": {
        "numbers": accounts.number_node,
        "accounts": accounts.account_node,
        "templates": templates.template_node,
        "media": media.media_info,
        "apps": accounts.app_node,
    },
    "POST": {
        "numbers": accounts.number_edit,
        "templates": templates.template_edit,
    },
    "DELETE": {"media": media.media_delete},
}


async def node(request: web.Request) -> web.StreamResponse:
    """/{id}: the handler depends on what has this id."""
    state = request.app[META].state
    for kind, handler in NODES[request.method].items():
        if request.match_info["node"] in getattr(state, kind):
            return await handler(request)
    return await unknown(request)


ROUTES = (
    ("GET", "/debug_token", accounts.debug_token),
    ("POST", "/{node}/messages", messages),
    ("POST", "/{node}/media", media.upload),
    ("POST", "/{node}/uploads", uploads.begin),
    ("GET", "/{session:upload:[^/]+}", uploads.state),
    ("POST", "/{session:upload:[^/]+}", uploads.receive),
    ("GET", "/{node}/message_templates", templates.template_list),
    ("POST", "/{node}/message_templates", templates.template_create),
    ("DELETE", "/{node}/message_templates", templates.template_delete),
    ("GET", "/{node}/phone_numbers", accounts.number_list),
    ("GET", "/{node}/subscribed_apps", accounts.subscription_list),
    ("POST", "/{node}/subscribed_apps", accounts.subscribe),
    ("DELETE", "/{node}/subscribed_apps", accounts.unsubscribe),
    ("GET", "/{node}/subscriptions", accounts.app_subscriptions),
    ("POST", "/{node}/subscriptions", accounts.app_subscribe),
    *((method, "/{node}", node) for method in NODES),
)


def add_routes(router: web.UrlDispatcher) -> None:
    """With a version in front first: `/v25.0` is never an id."""
    router.add_get("/whatsapp_business/attachments/", media.download)
    for prefix in (r"/{version:v\d+\.\d+}", ""):
        for method, path, handler in ROUTES:
            router.add_route(method, prefix + path, handler)
    router.add_route("*", "/{anything:.*}", lost)
