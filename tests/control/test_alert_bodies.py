"""Bodies and signatures are what receivers check; the signatures were made with another program (openssl)."""

import json
from urllib.parse import parse_qs

import pytest

from aimesh.control.alert_bodies import post_of, refusal_in, text_of
from aimesh.core.alert_kind import ChannelKind
from aimesh.store.alerts import ChannelSecrets, Notice

NOW_S = 1_700_000_000.0
SECRETS = ChannelSecrets(url="http://x/", secret="this is secret")
NOTICE = Notice(
    id="n1", status="firing", rule="errors", kind="error_rate", subject="m", value=25.0,
    message="m: 5 of 20 calls failed", at_s=NOW_S, since_s=NOW_S - 60,
)  # fmt: skip
TEXT = "[ALERT] errors\nm: 5 of 20 calls failed\n2023-11-14T22:13:20Z"


def test_a_webhook_is_signed_over_time_and_body() -> None:
    post = post_of(ChannelKind.WEBHOOK, SECRETS, NOTICE, NOW_S)
    assert json.loads(post.body) == {
        "id": "n1", "status": "firing", "rule": "errors", "kind": "error_rate", "subject": "m", "value": 25.0,
        "message": "m: 5 of 20 calls failed", "at": "2023-11-14T22:13:20Z", "since": "2023-11-14T22:12:20Z",
    }  # fmt: skip
    assert dict(post.headers) == {
        "x-aimesh-timestamp": "1700000000",
        "x-aimesh-signature": "sha256=8a7a9d7b82f77f13fcf0fe90e6979bf013f4a1b537cfef26f7561c4501ea6168",
    }


def test_dingtalk_is_signed_in_the_address() -> None:
    post = post_of(ChannelKind.DINGTALK, SECRETS, NOTICE, NOW_S)
    assert parse_qs(post.query) == {
        "timestamp": ["1700000000000"],
        "sign": ["sSFWELbV2YwjdDQhWZwTcWlX5BWUx5J6TPpsZmuPii0="],
    }
    assert json.loads(post.body) == {"msgtype": "text", "text": {"content": TEXT}}


def test_feishu_is_signed_in_the_body() -> None:
    post = post_of(ChannelKind.FEISHU, SECRETS, NOTICE, NOW_S)
    assert json.loads(post.body) == {
        "timestamp": "1700000000",
        "sign": "OfGzRzoUICBOoc8wVra1e4A1hPfbZ9zqXozA8CWVUuY=",
        "msg_type": "text",
        "content": {"text": TEXT},
    }


def test_wecom_has_no_signature() -> None:
    post = post_of(ChannelKind.WECOM, SECRETS, NOTICE, NOW_S)
    assert (post.query, post.headers) == ("", ())
    assert json.loads(post.body) == {"msgtype": "text", "text": {"content": TEXT}}


@pytest.mark.parametrize("kind", ChannelKind)
def test_without_a_secret_nothing_is_signed(kind: ChannelKind) -> None:
    post = post_of(kind, ChannelSecrets(url="http://x/"), NOTICE, NOW_S)
    assert b"sign" not in post.body
    assert "sign" not in post.query
    assert "x-aimesh-signature" not in dict(post.headers)


def test_a_text_is_cut_at_a_whole_letter() -> None:
    text = text_of(Notice("n", "test", "r", "k", "s", 0.0, "警" * 2000, NOW_S, NOW_S))
    assert len(text.encode()) <= 2048
    assert "\ufffd" not in text


@pytest.mark.parametrize(
    ("kind", "body", "refusal"),
    [
        (ChannelKind.DINGTALK, b'{"errcode":0,"errmsg":"ok"}', ""),
        (ChannelKind.DINGTALK, b'{"errcode":310000,"errmsg":"sign not match"}', "310000: sign not match"),
        (ChannelKind.FEISHU, b'{"StatusCode":0,"code":0,"msg":"success"}', ""),
        (ChannelKind.FEISHU, b'{"code":19021,"msg":"sign match fail"}', "19021: sign match fail"),
        (
            ChannelKind.WECOM,
            b'{"errcode":93000,"errmsg":"invalid webhook url"}',
            "93000: invalid webhook url",
        ),
        (ChannelKind.WECOM, b"<html>", "the answer is not a robot's"),
        (ChannelKind.WEBHOOK, b"anything", ""),
    ],
)
def test_a_robots_refusal_is_read(kind: ChannelKind, body: bytes, refusal: str) -> None:
    assert refusal_in(kind, body) == refusal


def test_secrets_have_no_repr() -> None:
    assert repr(SECRETS) == "ChannelSecrets(****)"
