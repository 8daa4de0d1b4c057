"""The page of one-time links: self-contained, in the reader's language, with a policy that lets in only itself."""

import base64
import hashlib
import re

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, Control


def test_the_policy_lets_in_the_pages_own_script_and_style(anonymous: TestClient) -> None:
    answer = anonymous.get("/setup")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; connect-src 'self';")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_page_is_self_contained(anonymous: TestClient) -> None:
    text = anonymous.get("/setup").text
    assert re.findall(r"(?:src|href)=\"([^\"]*)\"", text) == ["/"]
    assert not re.findall(r"\son\w+=", text)
    assert "style=" not in text
    assert API in text


@pytest.mark.parametrize(
    ("accept", "language", "words"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN", "设置密码"),
        ("zh-TW", "zh-CN", "设置密码"),
        ("en-US,en;q=0.9,zh;q=0.8", "en", "Set a password"),
        ("fr,zh;q=0.5", "zh-CN", "设置密码"),
        ("fr", "en", "Set a password"),
        ("", "en", "Set a password"),
    ],
)
def test_the_readers_language(anonymous: TestClient, accept: str, language: str, words: str) -> None:
    text = anonymous.get("/setup", headers={"accept-language": accept}).text
    assert f'<html lang="{language}">' in text
    assert words in text


def test_a_message_is_text_not_markup(control: Control) -> None:
    headers = {"accept": "text/html"}
    answer = control.anonymous(headers).get(f"{API}/session/oidc/callback?error=<script>alert(1)</script>")
    assert answer.status_code == 404
    assert "<script>" not in answer.text


def test_both_languages_have_the_same_words(control: Control) -> None:
    texts = [control.anonymous({"accept-language": name}).get("/setup").text for name in ("en", "zh")]
    assert [len(re.findall(r"<label", text)) for text in texts] == [3, 3]
    assert 'data-differ=""' not in "".join(texts)
