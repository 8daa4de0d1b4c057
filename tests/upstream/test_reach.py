"""What a candidate's requests always hold, and the proxy of the settings."""

from tests.support.limits import CHAT

from aimesh import __version__
from aimesh.catalog.operator import UpstreamSettings
from aimesh.core.ids import CredentialId, ProviderId, TenantId
from aimesh.core.secret import Secret
from aimesh.routing.candidate import Credential
from aimesh.upstream.reach import candidate, proxy_of


def test_a_candidate_has_the_endpoint_and_the_credential() -> None:
    credential = Credential(
        id=CredentialId("byok:acme/one_bj/mine"),
        provider=ProviderId("one_bj"),
        name="mine",
        secret=Secret("sk-0123456789"),
        tenant=TenantId("acme"),
    )
    made = candidate(CHAT, credential)
    assert made.head.reveal().decode().splitlines() == [
        "host: one.test",
        "authorization: Bearer sk-0123456789",
        "content-type: application/json",
        "accept-encoding: identity",
        f"user-agent: aimesh/{__version__}",
    ]
    assert (made.path, made.target.upstream_name) == (b"/v1/chat/completions", "chat")
    assert (made.credential, made.name, made.tenant) == (credential.id, "mine", "acme")
    assert made.circuit == (CHAT.name, credential.id)
    assert "sk-0123456789" not in repr(made)


def test_a_proxy_is_read_with_its_password_and_the_hosts_reached_directly() -> None:
    assert proxy_of(UpstreamSettings()) is None
    given = UpstreamSettings(proxy="http://us%40er:p%3Ass@proxy.example:3128", no_proxy=(".internal",))
    proxy = proxy_of(given)
    assert proxy is not None
    assert (proxy.host, proxy.port, proxy.user, proxy.bypass) == (
        "proxy.example",
        3128,
        "us@er",
        (".internal",),
    )
    assert proxy.password == Secret("p:ss")
    plain = proxy_of(UpstreamSettings(proxy="http://proxy.example"))
    assert plain is not None
    assert (plain.port, plain.user) == (8080, "")
