# Copyright 2026 crm_whatsapp_gateway contributors
# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The ad or post of Meta from which a customer came into the chat.

Only the message that was written right after the click carries a `referral`, and each
of its fields may be missing: `ctwa_clid`, for example, with ads in the status.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from .limits import limit
from .reading import LARGEST, mapping

LONGEST = limit("ad_name")
LONGEST_URL = limit("url")
# Host of the link -> where the customer saw the ad; what is missing is Meta itself
PLATFORMS = {
    "fb.me": "Facebook",
    "fb.com": "Facebook",
    "fb.watch": "Facebook",
    "facebook.com": "Facebook",
    "instagram.com": "Instagram",
    "instagr.am": "Instagram",
    "ig.me": "Instagram",
}
ANY_PLATFORM = "Meta"


@dataclass(frozen=True)
class Referral:
    """What one click on an ad says of itself; each part may be None.

    `url` is a web address in any case: it is shown as a link.
    """

    ad_id: str | None = None
    kind: str | None = None
    url: str | None = None
    headline: str | None = None
    body: str | None = None
    click_id: str | None = None

    def __bool__(self):
        return any((self.ad_id, self.url, self.headline, self.body, self.click_id))

    @property
    def platform(self):
        """Where the customer saw it, as the source of a campaign is called.

        >>> Referral(url="https://fb.me/3cr4Wqqkv").platform
        'Facebook'
        >>> Referral(url="https://www.instagram.com/p/1").platform, Referral().platform
        ('Instagram', 'Meta')
        """
        host = (urlsplit(self.url).hostname or "") if self.url else ""
        for known, platform in PLATFORMS.items():
            if host == known or host.endswith("." + known):
                return platform
        return ANY_PLATFORM

    @property
    def is_post(self):
        """Whether it was a post that nobody paid for."""
        return self.kind == "post"

    @property
    def label(self):
        """What people call the ad; never empty for one.

        >>> Referral(headline="Solar panels", ad_id="1").label, Referral("1").label
        ('Solar panels', '1')
        """
        return self.headline or self.ad_id or self.url or self.body or self.click_id

    @classmethod
    def of_message(cls, message):
        """The referral of an inbound message; a false one if it has none.

        >>> Referral.of_message({"referral": {"source_id": "12", "source_type": "ad",
        ...     "source_url": "javascript:alert(1)", "headline": " Solar  panels "}})
        Referral(ad_id='12', kind='ad', url=None, headline='Solar panels', body=None, \
click_id=None)
        >>> [bool(Referral.of_message(m)) for m in ({"referral": ["?"]}, {})]
        [False, False]
        """
        stated = mapping(mapping(message).get("referral"))
        return cls(
            ad_id=_line(stated.get("source_id")),
            kind=_line(stated.get("source_type")),
            url=_web_address(stated.get("source_url")),
            headline=_line(stated.get("headline")),
            body=_line(stated.get("body"), LONGEST_URL),
            click_id=_line(stated.get("ctwa_clid"), LONGEST_URL),
        )


def _line(value, longest=LONGEST):
    """One line of text, or None."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < LARGEST else None
    if not isinstance(value, str):
        return None
    return " ".join(value[: 4 * longest].split())[:longest] or None


def _web_address(value):
    """The address if a browser may open it, else None."""
    address = _line(value, LONGEST_URL + 1)
    if not address or len(address) > LONGEST_URL or " " in address:
        return None
    try:
        parts = urlsplit(address)
    except ValueError:  # such as an address with half a bracket
        return None
    return address if parts.scheme in ("http", "https") and parts.hostname else None
