# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Meta's Cloud API over HTTP: one class that asks, and builders of what it sends.

Every failure is a CloudApiError whose kind says whether to repeat. Neither the token
nor what is sent ever reaches the log.
"""

import copy
import io
import logging
import re
import ssl
import time
import unicodedata
import zlib
from dataclasses import dataclass
from http.client import HTTPException
from tempfile import SpooledTemporaryFile
from urllib.parse import quote

import requests
import urllib3

from .errors import CloudApiError, classify
from .masking import WithoutSecrets, without_secrets
from .message import base_type
from .transport import FormFile, TooSlow, new_session

_logger = logging.getLogger(__name__)

MB = 1024 * 1024
DOWNLOAD_SECONDS = 120
# A download that is slower than this after some seconds makes room for others
PATIENCE, LEAST_RATE = 20, 16 * 1024  # seconds; bytes a second
PIECE = 64 * 1024  # bytes
IN_MEMORY = MB  # of a download; the rest of it waits in a temporary file
MOST_PAGES = 200
EXPIRED = re.compile(r"\bexpired\b", re.IGNORECASE)

MEDIA_HOSTS = (".fbsbx.com", ".facebook.com", ".whatsapp.net")
# Deliberately narrow, so that no two URL parsers read it differently.
PLAIN_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:]+\])(?P<port>:[0-9]{1,5})?"
    r"(?:[/?][!-\[\]-~]*)?",
    re.IGNORECASE,
)
VERSION = re.compile(r"v?([0-9]+\.[0-9]+)")
# An upload's session as Meta names it, with its signature
SESSION = re.compile(r"upload:[\w.:=+-]+(?:\?[\w.:=&%+-]+)?", re.ASCII)
UPLOAD_TRIES = 3
UPLOAD_TIMEOUT = (5, 120)  # seconds to connect, and to answer
# What requests refuses to send. Not InvalidHeader: it also means a broken answer.
UNSENDABLE = (
    requests.exceptions.InvalidJSONError,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)
# What the standard library and urllib3 raise while a body is read
BROKEN = (OSError, HTTPException, zlib.error, urllib3.exceptions.HTTPError)
DEFAULT_PORTS = {"http": 80, "https": 443}

PHONE_NUMBER_FIELDS = (
    "id",
    "display_phone_number",
    "verified_name",
    "quality_rating",
    "code_verification_status",
    "name_status",
    "platform_type",
    "status",
    "throughput",
    "whatsapp_business_manager_messaging_limit",
)
COEXISTENCE = "is_on_biz_app"  # of a number; older versions of the API lack it
ACCOUNT_NUMBER_FIELDS = ("id", "display_phone_number", "verified_name")
TEMPLATE_FIELDS = (
    "id",
    "name",
    "language",
    "category",
    "status",
    "components",
    "parameter_format",
    "quality_score",
    "rejected_reason",
)


class MediaGone(CloudApiError):
    """The file cannot be fetched at this address or by this id, now or for ever.

    'transient': Meta may have it later; an address lives five minutes, a file seven
    days. 'permanent': Meta says that it has expired. Its words are those of a file,
    whatever code Meta gave: 100/33 is that of a lost number, too.
    """

    @property
    def entries(self):
        return (self.reason,)


class MediaTooLarge(CloudApiError):
    """The file is larger than the caller accepts."""


@dataclass(frozen=True)
class Sent:
    """What Meta answers to a send: accepted, not yet delivered."""

    message_id: str
    wa_id: str | None = None
    user_id: str | None = None
    status: str | None = None


@dataclass(frozen=True)
class MediaInfo:
    """Where a file can be fetched for the next five minutes; `file_size` in bytes."""

    id: str
    url: str
    mime_type: str | None = None
    sha256: str | None = None
    file_size: int | None = None


@dataclass(frozen=True)
class Subscription:
    """Where an app gets webhooks of one kind of object, and which fields of it."""

    object: str
    callback_url: str | None
    active: bool
    fields: tuple


# At its lowest level urllib3 logs addresses, and so the token that is asked about.
logging.getLogger("urllib3.connectionpool").addFilter(WithoutSecrets())


class _Bearer(requests.auth.AuthBase):
    """As `auth` and not as header: else an entry in .netrc would replace it."""

    def __init__(self, token, scheme="Bearer"):
        self._token = token
        self._scheme = scheme

    def __call__(self, request):
        request.headers["Authorization"] = f"{self._scheme} {self._token}"
        return request


class CloudApi:
    """The Cloud API with one token. One instance serves one thread.

    >>> CloudApi("secret", version="v23.0").base_url
    'https://graph.facebook.com/v23.0'
    """

    def __init__(
        self,
        token,
        version="23.0",
        base_url="https://graph.facebook.com",
        session=None,
        timeout=(5, 30),  # seconds to connect, and for the whole answer
        proxies=None,
        secrets=(),  # what else no error may repeat
    ):
        number = VERSION.fullmatch(str(version or ""))
        if not number:
            raise ValueError("The API version must look like 23.0")
        origin = (base_url or "").rstrip("/")
        if not PLAIN_URL.fullmatch(origin):
            raise ValueError("The API address must look like https://host")
        self.base_url = f"{origin}/v{number.group(1)}"
        self._origin = _origin(origin)
        self._token = token
        self._scheme = "Bearer"
        known = (token, *secrets)
        self._secrets = tuple(text for text in known if isinstance(text, str))
        self._own = session is None
        self._session = session or new_session(DOWNLOAD_SECONDS)
        self._timeout = timeout
        self._proxies = proxies

    def using(self, get_session):
        """The same client for another thread.

        :param get_session: function that returns the session of the thread, whose
            connections are open already; asked unless a session was given
        """
        if not self._own:
            return self
        client = copy.copy(self)
        client._session = get_session()
        return client

    def patient(self, timeout):
        """The same client with other patience: seconds to connect, and to answer."""
        client = copy.copy(self)
        client._timeout = timeout
        return client

    def as_app(self, app_id, app_secret):
        """The same client with the rights of the app itself."""
        client = copy.copy(self)
        client._token = f"{app_id}|{app_secret}"
        client._secrets = (client._token, app_secret, *self._secrets)
        return client

    # -- sending

    def send(self, phone_number_id, payload):
        """Hand a message to Meta. Returns Sent; raises CloudApiError only.

        'uncertain' means: Meta may have it, wait for its status before repeating.
        """
        answer = self._call("POST", phone_number_id, "messages", json=payload)
        message = _first(answer.get("messages"))
        message_id = _str(message.get("id"))
        if not message_id:
            raise _unreadable("Meta accepted the message without naming its id")
        contact = _first(answer.get("contacts"))
        return Sent(
            message_id=message_id,
            wa_id=_str(contact.get("wa_id")),
            user_id=_str(contact.get("user_id")),
            status=_str(message.get("message_status")),
        )

    def upload(self, phone_number_id, filename, content, mime_type):
        """Store a file at Meta for 30 days and return its media id.

        It may last as long as its size needs; what makes no progress is given up.
        Safe to repeat: an upload that nobody mentions does nothing.

        :param content: bytes, or a binary file, which is read while it is sent
        """
        media_type = base_type(mime_type)
        fields = {"messaging_product": "whatsapp", "type": media_type}
        file = io.BytesIO(content) if isinstance(content, bytes) else content
        form = FormFile(fields, _ascii_name(filename), file, media_type)
        try:
            return self._repeatable(
                "POST",
                phone_number_id,
                "media",
                wanted="id",
                data=form,
                headers={"Content-Type": form.content_type},
            )["id"]
        except TooSlow as error:
            raise CloudApiError(
                "transient", details="The upload is too slow", reason="busy"
            ) from error

    def mark_read(self, phone_number_id, message_id, typing=False):
        """Show the customer that this message, and all before it, were read."""
        payload = {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": message_id,
        }
        if typing:
            payload["typing_indicator"] = {"type": "text"}
        self._repeatable("POST", phone_number_id, "messages", json=payload)

    # -- receiving files

    def media_info(self, media_id, phone_number_id=None):
        """MediaInfo of a media id; MediaGone if Meta does not have it."""
        params = {"phone_number_id": phone_number_id} if phone_number_id else None
        try:
            answer = self._repeatable("GET", media_id, wanted="url", params=params)
        except CloudApiError as error:
            if error.status is None or not (
                error.kind == "permanent" or error.code == 100 or error.status == 404
            ):
                raise
            raise _gone(error) from error
        return MediaInfo(
            id=_str(answer.get("id")) or str(media_id),
            url=answer["url"],
            mime_type=_str(answer.get("mime_type")),
            sha256=_str(answer.get("sha256")),
            file_size=_int(answer.get("file_size")),
        )

    def download(self, url, limit):
        """The bytes at a media URL, at most `limit` of them.

        Raises MediaGone when the URL expired (ask `media_info` for a new one),
        MediaTooLarge, and CloudApiError; 'transient' if it takes too long. Asks only
        Meta's hosts and never follows a redirect, since the token goes along.
        """
        self._check_media_url(url)
        try:
            with self._request(
                "GET", url, stream=True, headers={"Accept-Encoding": "identity"}
            ) as response:
                _check_download(response)
                return _read(response, limit)
        except CloudApiError as error:
            raise _safe_to_repeat(error) from error
        except BROKEN as error:
            raise _safe_to_repeat(_of_exception(error)) from self._cause(error)

    def _check_media_url(self, url):
        match = PLAIN_URL.fullmatch(url) if isinstance(url, str) else None
        if match and _origin(url) == self._origin:
            return
        host = match and match["host"].lower()
        standard = match and match["port"] in (None, ":443")
        is_https = match and match["scheme"].lower() == "https"
        if not (host and is_https and standard and host.endswith(MEDIA_HOSTS)):
            raise CloudApiError(
                "permanent",
                details="The file is not at one of Meta's hosts",
                reason="file_inbound",
            )

    # -- management

    def phone_number(self, phone_number_id, fields=PHONE_NUMBER_FIELDS):
        """The named fields of a business number."""
        return self._repeatable("GET", phone_number_id, params=_fields(fields))

    def templates(self, account_id, fields=TEMPLATE_FIELDS, limit=100):
        """Every template of the account, over all pages, as Meta describes them."""
        return self._pages(account_id, "message_templates", fields, limit)

    def subscribed_apps(self, account_id):
        """The apps that get the account's webhooks; empty means that none arrives."""
        return list(self._pages(account_id, "subscribed_apps", (), 100))

    def subscribe_app(self, account_id):
        """Let the account deliver its webhooks to the app, at the app's address."""
        self._repeatable("POST", account_id, "subscribed_apps")

    def template(self, template_id, fields=TEMPLATE_FIELDS):
        """One template as Meta describes it."""
        return self._repeatable("GET", template_id, params=_fields(fields))

    def create_template(self, account_id, values):
        """Hand in a new template, `values` as Meta's documentation has them.

        Returns its id and its state; 'uncertain' means: look whether it is there.
        """
        answer = self._call("POST", account_id, "message_templates", json=values)
        if not _str(answer.get("id")):
            raise _unreadable("Meta accepted the template without naming its id")
        return answer["id"], _str(answer.get("status"))

    def edit_template(self, template_id, values):
        """Change a template; all its parts are replaced, and Meta reviews it again."""
        self._repeatable("POST", template_id, json=values)

    def delete_template(self, account_id, template_id, name):
        """Delete one language of a template. Its name is not free for 30 days."""
        self._repeatable(
            "DELETE",
            account_id,
            "message_templates",
            params={"hsm_id": template_id, "name": name},
        )

    def find_template(self, account_id, name, language):
        """The template with exactly this name and language as Meta has it, or None."""
        rows = self._pages(account_id, "message_templates", TEMPLATE_FIELDS, 100, name)
        return next(
            (
                row
                for row in rows
                if row.get("name") == name and row.get("language") == language
            ),
            None,
        )

    def upload_sample(self, app_id, filename, content, mime_type):
        """Store a file that shows Meta's reviewers a header; return its handle.

        An upload that broke off goes on where Meta says that it ended.

        :param bytes content: of a type as in ``template_made.SAMPLE_TYPES``
        """
        params = {
            "file_name": _ascii_name(filename),
            "file_length": len(content),
            "file_type": base_type(mime_type),
        }
        client = self.patient(UPLOAD_TIMEOUT)
        session = client._repeatable(
            "POST", app_id, "uploads", wanted="id", params=params
        )["id"]
        if not SESSION.fullmatch(session):
            raise _safe_to_repeat(_unreadable("Meta names no session of the upload"))
        client._scheme = "OAuth"
        offset = 0
        for left in reversed(range(UPLOAD_TRIES)):
            try:
                answer = client._ask(
                    "POST",
                    session,
                    "uploads",
                    data=content[offset:],
                    headers={"file_offset": str(offset)},
                )
            except CloudApiError as error:
                if not left or error.kind not in ("transient", "uncertain"):
                    raise _safe_to_repeat(error) from error
                offset = client._uploaded(session, len(content))
            else:
                if _str(answer.get("h")):
                    return answer["h"]
                break
        raise _safe_to_repeat(_unreadable("Meta took the file without naming it"))

    def _uploaded(self, session, size):
        """How many bytes of an upload Meta has."""
        try:
            known = self._ask("GET", session, "uploads").get("file_offset")
        except CloudApiError as error:
            raise _safe_to_repeat(error) from error
        return min(max(_int(known) or 0, 0), size)

    def account(self, account_id, fields=("id", "name")):
        """The named fields of a WhatsApp Business account."""
        return self._repeatable("GET", account_id, params=_fields(fields))

    def phone_numbers(self, account_id, fields=ACCOUNT_NUMBER_FIELDS):
        """Every business number of the account."""
        return list(self._pages(account_id, "phone_numbers", fields, 100))

    # -- the app

    def token_info(self):
        """What Meta says of this client's token: app, kind, permissions, end."""
        answer = self._repeatable(
            "GET", "debug_token", params={"input_token": self._token}
        )
        data = answer.get("data")
        if not isinstance(data, dict):
            raise _safe_to_repeat(_unreadable("Meta's answer lacks data"))
        return data

    def subscriptions(self, app_id):
        """Subscription of each kind of object; only for a client `as_app`."""
        return [
            Subscription(
                object=_str(row.get("object")) or "",
                callback_url=_str(row.get("callback_url")),
                active=bool(row.get("active")),
                fields=_names(row.get("fields")),
            )
            for row in self._pages(app_id, "subscriptions", (), 100)
        ]

    def subscribe(self, app_id, object_, callback_url, verify_token, fields):
        """Let Meta deliver to an address; Meta calls and verifies it meanwhile.

        Only for a client `as_app`. What was subscribed before is replaced.
        """
        values = {
            "object": object_,
            "callback_url": callback_url,
            "verify_token": verify_token,
            "fields": ",".join(fields),
            "include_values": "true",
        }
        client = copy.copy(self)
        client._secrets = (verify_token, *self._secrets)
        client._repeatable("POST", app_id, "subscriptions", data=values)

    def _pages(self, account_id, edge, fields, limit, name=None):
        params = {**_fields(fields), "limit": limit, **({"name": name} if name else {})}
        for _page in range(MOST_PAGES):
            answer = self._repeatable("GET", account_id, edge, params=params)
            rows = answer.get("data")
            if not isinstance(rows, list):  # an empty list would mean: all are gone
                raise _safe_to_repeat(_unreadable("Meta's answer lacks data"))
            yield from (row for row in rows if isinstance(row, dict))
            # Meta's ready-made `paging.next` carries the token; the cursor does not.
            paging = answer.get("paging")
            paging = paging if isinstance(paging, dict) else {}
            cursors = paging.get("cursors")
            after = cursors.get("after") if isinstance(cursors, dict) else None
            if not paging.get("next") or not after or after == params.get("after"):
                return
            params = {**params, "after": after}

    # -- HTTP

    def _repeatable(self, *args, wanted=None, **kwargs):
        """The answer of a call that does no harm if done twice; never 'uncertain'."""
        try:
            answer = self._call(*args, **kwargs)
        except CloudApiError as error:
            raise _safe_to_repeat(error) from error
        if wanted and not _str(answer.get(wanted)):
            raise _safe_to_repeat(_unreadable(f"Meta's answer lacks {wanted}"))
        return answer

    def _call(self, method, *path, **kwargs):
        """The JSON object that Meta answers; raises CloudApiError only."""
        quoted = "/".join(quote(str(part), safe="") for part in path)
        return self._ask(method, quoted, quoted, **kwargs)

    def _ask(self, method, path, shown, **kwargs):
        """The same for a path that is used as it is; `shown` goes to the log."""
        response = self._request(method, f"{self.base_url}/{path}", **kwargs)
        _logger.debug(
            "%s %s: %s (%s)",
            method,
            shown,
            response.status_code,
            response.headers.get("facebook-api-version"),
        )
        try:
            answer = response.json()
        except (ValueError, RecursionError):
            answer = None
        if not 200 <= response.status_code < 300:
            raise self._refusal(response, answer)
        if not isinstance(answer, dict):
            raise _unreadable("Meta's answer is not JSON")
        if isinstance(answer.get("error"), dict):
            raise self._refusal(response, answer)
        return answer

    def _refusal(self, response, answer):
        status, headers = response.status_code, response.headers
        return classify(status, answer, headers, secrets=self._secrets)

    def _cause(self, error):
        """What happened, without the secrets that its text has: parts of addresses."""
        text = without_secrets(f"{type(error).__name__}: {error}", *self._secrets)
        return requests.RequestException(text)

    def _request(self, method, url, **kwargs):
        if not _is_token(self._token):
            raise CloudApiError(
                "auth", details="The access token is malformed", reason="token"
            )
        try:
            return self._session.request(
                method,
                url,
                auth=_Bearer(self._token, self._scheme),
                timeout=self._timeout,
                proxies=self._proxies,
                allow_redirects=False,
                **kwargs,
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _of_exception(error) from self._cause(error)


# -- failures


def _of_exception(error):
    """The CloudApiError of a failure without an answer."""
    details = type(error).__name__
    if isinstance(error, UNSENDABLE):
        return CloudApiError("permanent", details=details, reason="request")
    if _nothing_left(error):
        return CloudApiError("transient", details=details, reason="busy")
    return CloudApiError("uncertain", details=details, reason="cut")


def _nothing_left(error):
    """Whether the connection failed before the request could leave."""
    if isinstance(error, (requests.ConnectTimeout, requests.exceptions.ProxyError)):
        return True
    before = (
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.ConnectTimeoutError,
        ssl.SSLCertVerificationError,
    )
    return any(isinstance(cause, before) for cause in _causes(error))


def _causes(error):
    """The error and all that it wraps, as requests and urllib3 nest them."""
    seen, waiting = set(), [error]
    while waiting:
        current = waiting.pop()
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += [current.__cause__, getattr(current, "reason", None)]
            waiting += [part for part in current.args if isinstance(part, Exception)]


def _safe_to_repeat(error):
    if error.kind == "uncertain":
        error = _copy(error, type(error), "transient", "busy")
    error.harmless = True
    return error


def _copy(error, error_class, kind, reason):
    return error_class(
        kind,
        error.code,
        status=error.status,
        subcode=error.subcode,
        title=error.title,
        details=error.details,
        fbtrace_id=error.fbtrace_id,
        retry_after=error.retry_after,
        reason=reason,
    )


def _gone(error):
    """The MediaGone of an error of a media id."""
    if EXPIRED.search(str(error)):
        return _copy(error, MediaGone, "permanent", reason="file_expired")
    return _copy(error, MediaGone, "transient", reason="file_waits")


def _unreadable(details):
    return CloudApiError("uncertain", status=200, details=details, reason="cut")


def _check_download(response):
    status = response.status_code
    if 300 <= status < 400:
        raise CloudApiError(
            "permanent",
            status=status,
            details="The file's address redirects",
            reason="file_inbound",
        )
    if status != 200:
        error = classify(status, None, response.headers)
        if error.kind == "permanent":  # of this address: a new one may do better
            raise _copy(error, MediaGone, "transient", reason="file_waits")
        raise error


def _read(response, limit):
    """The body of an answer, as it arrives; what takes too long is given up."""
    stated = _int(response.headers.get("Content-Length"))
    if stated is not None and stated > limit:
        raise _too_large(limit)
    decode = _decoder(response.headers.get("Content-Encoding"))
    begin, received, size = time.monotonic(), 0, 0
    with SpooledTemporaryFile(IN_MEMORY) as file:
        for piece in _pieces(response.raw):
            received += len(piece)
            # never more than one byte beyond what is accepted, however it is packed
            piece = decode(piece, limit + 1 - size)
            size += file.write(piece)
            if size > limit:
                raise _too_large(limit)
            _check_speed(time.monotonic() - begin, received)
        if stated is not None and received != stated:
            raise CloudApiError("transient", details="Cut short", reason="busy")
        file.seek(0)
        return file.read()


def _pieces(raw):
    """What has arrived, each time: to read more at once would wait for slow senders."""
    # urllib3 1.26 has no read1; what it wraps is the response of the standard library
    source = raw if hasattr(raw, "read1") else raw._fp
    while piece := source.read1(PIECE):
        yield piece


def _check_speed(seconds, received):
    late = seconds > DOWNLOAD_SECONDS
    if late or (seconds > PATIENCE and received < seconds * LEAST_RATE):
        raise CloudApiError("transient", details="Too slow", reason="busy")


def _decoder(encoding):
    """A function of a piece, and of how many bytes it may become.

    None is asked for; a proxy on the way may pack it all the same.
    """
    if (encoding or "identity").lower() == "identity":
        return lambda piece, most: piece
    if encoding.lower() not in ("gzip", "deflate"):
        raise CloudApiError(
            "permanent",
            details="The file comes in an unknown encoding",
            reason="file_inbound",
        )
    return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress


def _too_large(limit):
    return MediaTooLarge(
        "permanent",
        details=f"The file is larger than {limit} bytes",
        reason="file_large",
    )


# -- small things


def _origin(url):
    """(scheme, host, port) of a plain URL."""
    match = PLAIN_URL.fullmatch(url)
    scheme = match["scheme"].lower()
    port = int(match["port"][1:]) if match["port"] else DEFAULT_PORTS[scheme]
    return scheme, match["host"].lower(), port


def _is_token(token):
    return isinstance(token, str) and bool(re.fullmatch(r"[!-~]+", token))


def _ascii_name(filename):
    """A name for the upload only; not all servers read others in multipart.

    >>> _ascii_name("Cotización.pdf")
    'Cotizacion.pdf'
    """
    plain = unicodedata.normalize("NFKD", filename or "").encode("ascii", "ignore")
    return re.sub(r'[^ -~]|["\\/]', "_", plain.decode()) or "file"


def _fields(fields):
    return {"fields": ",".join(fields)} if fields else {}


def _names(fields):
    """Names of subscribed fields; newer versions of the API add their own version.

    >>> _names([{"name": "messages", "version": "v23.0"}, "security", None])
    ('messages', 'security')
    """
    fields = fields if isinstance(fields, list) else []
    names = (_str(f.get("name") if isinstance(f, dict) else f) for f in fields)
    return tuple(name for name in names if name)


def _first(items):
    first = items[0] if isinstance(items, list) and items else None
    return first if isinstance(first, dict) else {}


def _str(value):
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def _int(value):
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
