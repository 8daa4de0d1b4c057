"""Notices on real servers: HTTP with its guard, SMTP with and without TLS, and what is said where it fails."""

import ssl
from pathlib import Path

import pytest
from msgspec import structs
from tests.support.alert_sinks import running_hook, running_mail
from tests.support.loopback import Authority

from aimesh.catalog.operator import UpstreamSettings
from aimesh.control.alert_sending import Sender, SendError, is_public
from aimesh.core.alert_kind import ChannelKind
from aimesh.core.clock import FixedClock
from aimesh.store.alerts import ChannelSecrets, ChannelTerms, Notice

NOTICE = Notice("n1", "firing", "errors", "error_rate", "m", 25.0, "m: 5 of 20 failed", 1.7e9, 1.7e9)
HOOK = ChannelTerms("hook", ChannelKind.WEBHOOK, allow_private=True)


def sender(ca_file: str = "") -> Sender:
    def on_crash(name: str, error: BaseException) -> None:
        raise AssertionError(name) from error

    return Sender(UpstreamSettings(ca_file=ca_file), FixedClock(), on_crash)


def test_a_webhook_gets_the_notice() -> None:
    with running_hook() as hook:
        sender().send(HOOK, ChannelSecrets(f"{hook.url}?token=t", "s"), NOTICE)
    (target, headers, body), *rest = hook.came
    assert not rest
    assert target == "/hook?token=t"
    assert headers["content-type"] == "application/json"
    assert headers["x-aimesh-signature"].startswith("sha256=")
    assert b'"m: 5 of 20 failed"' in body


def test_a_robot_gets_its_signature_behind_its_token() -> None:
    with running_hook() as hook:
        hook.answer = b'{"errcode":0}'
        terms = structs.replace(HOOK, kind=ChannelKind.DINGTALK)
        sender().send(terms, ChannelSecrets(f"{hook.url}?access_token=t", "s"), NOTICE)
        assert hook.came[0][0].startswith("/hook?access_token=t&timestamp=")
        hook.answer = b'{"errcode":310000,"errmsg":"sign not match"}'
        with pytest.raises(SendError, match="310000: sign not match"):
            sender().send(terms, ChannelSecrets(hook.url, "s"), NOTICE)


@pytest.mark.parametrize("status", [302, 400, 500])
def test_another_status_is_a_failure_and_no_redirect_is_followed(status: int) -> None:
    with running_hook() as elsewhere, running_hook() as hook:
        hook.status, hook.location = status, elsewhere.url
        with pytest.raises(SendError, match=f"HTTP {status}"):
            sender().send(HOOK, ChannelSecrets(hook.url, ""), NOTICE)
    assert elsewhere.came == []


def test_an_address_of_this_machine_is_not_called_without_leave() -> None:
    with running_hook() as hook:
        for url in (hook.url, hook.url.replace("127.0.0.1", "localhost")):
            with pytest.raises(SendError) as caught:
                sender().send(structs.replace(HOOK, allow_private=False), ChannelSecrets(url, "s"), NOTICE)
            assert url not in str(caught.value)
    assert hook.came == []


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("127.0.0.1", False), ("10.1.2.3", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False), ("::1", False),
        ("fe80::1%eth0", False), ("::ffff:10.0.0.1", False), ("fd00::1", False), ("224.0.0.1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_of_the_internet(address: str, expected: bool) -> None:
    assert is_public(address) is expected


def test_who_is_not_there_is_a_failure() -> None:
    with running_hook() as hook:
        url = hook.url
    with pytest.raises(SendError, match="cannot be reached"):
        sender().send(HOOK, ChannelSecrets(url, "s"), NOTICE)


def mail(port: int, **changes: object) -> ChannelTerms:
    terms = ChannelTerms(
        "mail", ChannelKind.SMTP, host="localhost", port=port, security="none", sender="aimesh@example.com",
        recipients=("ops@example.com", "second@example.com"),
    )  # fmt: skip
    return structs.replace(terms, **changes)


def test_mail_arrives() -> None:
    with running_mail() as mailbox:
        sender().send(mail(mailbox.port), ChannelSecrets(), NOTICE)
    assert "Subject: [ALERT] errors" in mailbox.messages[0]
    assert "m: 5 of 20 failed" in mailbox.messages[0]
    assert [line for line in mailbox.lines if line.startswith("rcpt")] == [
        "rcpt TO:<ops@example.com>",
        "rcpt TO:<second@example.com>",
    ]
    assert not any(line.startswith("AUTH") for line in mailbox.lines)


def test_mail_is_encrypted_before_anybody_signs_in(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("localhost"))
    with running_mail(context) as mailbox:
        terms = mail(mailbox.port, security="starttls", username="aimesh")
        sender(str(authority.file)).send(terms, ChannelSecrets(secret="a password"), NOTICE)
        # A certificate that nobody vouches for.
        with pytest.raises(SendError) as caught:
            sender().send(terms, ChannelSecrets(secret="a password"), NOTICE)
    assert mailbox.was_encrypted == [True]
    lines = mailbox.lines
    assert lines.index("STARTTLS") < next(at for at, line in enumerate(lines) if line.startswith("AUTH"))
    assert "a password" not in str(caught.value)


def test_mail_does_not_go_where_encryption_is_not_offered() -> None:
    with running_mail() as mailbox, pytest.raises(SendError):
        sender().send(mail(mailbox.port, security="starttls"), ChannelSecrets(), NOTICE)
    assert mailbox.messages == []


def test_a_mail_server_that_refuses_is_a_failure() -> None:
    with running_mail() as mailbox:
        mailbox.refuses = True
        with pytest.raises(SendError, match="the mail server did not take it"):
            sender().send(mail(mailbox.port), ChannelSecrets(), NOTICE)
