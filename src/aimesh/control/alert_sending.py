"""Sends a notice over a channel: HTTP through the gateway's own client, or SMTP. Blocks.

1. No redirect is followed, and an address is looked at between resolving a name and connecting: one of this machine or
   its network is reached only over a channel that says so.
2. What goes wrong is a ``SendError`` with safe text: no URL (it may hold a token), no secret, no body.
3. Certificates are always checked, those of SMTP servers too.
"""

import asyncio
import ipaddress
import smtplib
from email.message import EmailMessage
from urllib.parse import urlsplit

import httpx

from aimesh.catalog.operator import UpstreamSettings
from aimesh.control.alert_bodies import Post, post_of, refusal_in, text_of, title_of
from aimesh.core.alert_kind import ChannelKind
from aimesh.core.clock import Clock
from aimesh.core.origin import Origin
from aimesh.net.children import Children, OnCrash
from aimesh.net.client import ClientSettings, PooledClient
from aimesh.net.message import ExchangeError, Timeouts
from aimesh.store.alerts import ChannelSecrets, ChannelTerms, Notice
from aimesh.upstream.reach import proxy_of

_TIMEOUTS = Timeouts(connect_s=5.0, first_byte_s=10.0, idle_s=10.0, whole_s=15.0)
_MOST_ANSWER_BYTES = 64 * 1024
_SMTP_S = 15.0


class SendError(Exception):
    """It was not taken."""


class Sender:
    def __init__(self, upstream: UpstreamSettings, clock: Clock, on_crash: OnCrash) -> None:
        self._upstream = upstream
        self._clock = clock
        self._on_crash = on_crash

    def send(self, terms: ChannelTerms, secrets: ChannelSecrets, notice: Notice) -> None:
        """Raises ``SendError``."""
        if terms.kind is ChannelKind.SMTP:
            self._mail(terms, secrets, notice)
            return
        post = post_of(terms.kind, secrets, notice, self._clock.wall_s())
        status, body = asyncio.run(self._post(terms, secrets.url, post))
        if not 200 <= status < 300:
            raise SendError(f"it answered with HTTP {status}")
        refusal = refusal_in(terms.kind, body)
        if refusal:
            raise SendError(f"it was refused: {refusal}")

    async def _post(self, terms: ChannelTerms, url: str, post: Post) -> tuple[int, bytes]:
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        host = parts.hostname or ""
        origin = Origin(host=host, port=parts.port or (443 if tls else 80), tls=tls)
        children = Children(self._on_crash)
        client = PooledClient(
            children,
            ClientSettings(extra_ca_file=self._upstream.ca_file or None, proxy=proxy_of(self._upstream)),
            loop=asyncio.get_running_loop(),
            resolve_guard=None if terms.allow_private else is_public,
        )
        query = "&".join(filter(None, (parts.query, post.query)))
        target = (parts.path or "/") + (f"?{query}" if query else "")
        headers = (
            ("host", parts.netloc.rpartition("@")[2]),
            ("content-type", "application/json"),
            *post.headers,
        )
        head = f"POST {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers)
        exchange = client.send(origin, head.encode("ascii"), post.body, timeouts=_TIMEOUTS)
        try:
            answer = await exchange.head()
            return answer.status, await exchange.body(_MOST_ANSWER_BYTES)
        except ExchangeError as error:
            raise SendError(f"it cannot be reached: {error}") from error
        finally:
            exchange.cancel()
            client.close()
            await children.stop()

    def _mail(self, terms: ChannelTerms, secrets: ChannelSecrets, notice: Notice) -> None:
        message = EmailMessage()
        message["Subject"] = title_of(notice)
        message["From"] = terms.sender
        message["To"] = ", ".join(terms.recipients)
        message["Message-ID"] = f"<{notice.id}@aimesh>"
        message.set_content(text_of(notice))
        try:
            with self._connected(terms) as server:
                if terms.username:
                    server.login(terms.username, secrets.secret)
                server.send_message(message, terms.sender, list(terms.recipients))
        except smtplib.SMTPResponseException as error:
            raise SendError(f"the mail server answered {error.smtp_code}") from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise SendError(f"the mail server did not take it: {type(error).__name__}") from error

    def _connected(self, terms: ChannelTerms) -> smtplib.SMTP:
        context = httpx.create_ssl_context(trust_env=False)
        context.load_default_certs()
        if self._upstream.ca_file:
            context.load_verify_locations(self._upstream.ca_file)
        if terms.security == "tls":
            return smtplib.SMTP_SSL(terms.host, terms.port, timeout=_SMTP_S, context=context)
        server = smtplib.SMTP(terms.host, terms.port, timeout=_SMTP_S)
        if terms.security == "starttls":
            try:
                server.starttls(context=context)
            except (smtplib.SMTPException, OSError):
                server.close()
                raise
        return server


def is_public(address: str) -> bool:
    """Whether it is an address of the internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_global and not found.is_multicast
