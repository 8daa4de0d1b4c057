from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.catalog.problem import ConfigError, Problem
from aimesh.core.ids import InterfaceId, ModelName, ProviderId
from aimesh.core.secret import Secret
from aimesh.settings import Address, Settings, compile_settings, home_directory, parse_address

Compile = Callable[..., Settings]
KEY = "ck-0123456789abcdef0123456789"
BAILIAN = ProviderId("aliyun_bailian_bj")
ARK = ProviderId("volcengine_bj")


@pytest.fixture
def compile_text(tmp_path: Path) -> Compile:
    def compile_it(text: str, **environ: str) -> Settings:
        file = tmp_path / "aimesh.yaml"
        file.write_text(text, encoding="utf-8")
        return compile_settings(file, {"AIMESH_HOME": str(tmp_path), **environ})

    return compile_it


def _problems(compile_text: Compile, text: str, **environ: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        compile_text(text, **environ)
    return caught.value.problems


def test_no_file_is_all_defaults(tmp_path: Path) -> None:
    settings = compile_settings(None, {"AIMESH_HOME": str(tmp_path)})
    assert settings.file is None
    assert settings.listen == (Address(host="127.0.0.1", port=8600),)
    assert settings.journal_directory == tmp_path / "journal"
    assert settings.credentials == {}
    assert settings.virtual_keys == ()
    assert settings.catalog.find("qwen/qwen3.7-max") is not None


def test_the_file_is_found_by_environment_and_in_the_home_directory(tmp_path: Path) -> None:
    (tmp_path / "aimesh.yaml").write_text("routing: {attempts: 3}\n")
    other = tmp_path / "other.yaml"
    other.write_text("routing: {attempts: 5}\n")
    home = {"AIMESH_HOME": str(tmp_path)}
    assert compile_settings(None, home).routing.attempts == 3
    assert compile_settings(None, {**home, "AIMESH_CONFIG": str(other)}).routing.attempts == 5
    assert (
        compile_settings(tmp_path / "aimesh.yaml", {**home, "AIMESH_CONFIG": str(other)}).routing.attempts
        == 3
    )


@pytest.mark.parametrize(
    ("environ", "home"),
    [
        ({"AIMESH_HOME": "/a"}, "/a"),
        ({"XDG_DATA_HOME": "/x", "HOME": "/h"}, "/x/aimesh"),
        ({"XDG_DATA_HOME": "relative", "HOME": "/h"}, "/h/.local/share/aimesh"),
        ({"HOME": "/h"}, "/h/.local/share/aimesh"),
    ],
)
def test_home_directory(environ: dict[str, str], home: str) -> None:
    assert home_directory(environ) == Path(home)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:80", Address(host="127.0.0.1", port=80)),
        ("[::1]:8600", Address(host="::1", port=8600)),
        (":0", Address(host="0.0.0.0", port=0)),
        ("unix:/run/a.sock", Address(unix="/run/a.sock")),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address


@given(st.text(max_size=20))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except ValueError:
        return
    assert address.unix.startswith("/") or 0 <= address.port <= 65_535


def test_credentials_by_name_by_shorthand_and_from_the_environment(compile_text: Compile) -> None:
    settings = compile_text(
        "credentials:\n"
        "  aliyun_bailian_bj: ${MINE}\n"
        "  volcengine_bj: {main: a, spare: '${UNSET:-}', third: c}\n"
        "  deepseek_cn: ${UNSET:-}\n",
        MINE="sk-mine",
        DASHSCOPE_API_KEY="sk-not-used",
        DEEPSEEK_API_KEY="sk-not-used",
        ANTHROPIC_API_KEY="sk-usual",
    )
    held = {
        provider: [(each.name, each.secret.reveal()) for each in found]
        for provider, found in settings.credentials.items()
    }
    assert held == {
        "aliyun_bailian_bj": [("default", "sk-mine")],
        "volcengine_bj": [("main", "a"), ("third", "c")],
        "anthropic_global": [("environment", "sk-usual")],
    }
    assert settings.credentials[ARK][1].id == "volcengine_bj/third"


def test_the_environment_can_be_left_out(compile_text: Compile) -> None:
    settings = compile_text("credentials_from_environment: false\n", DASHSCOPE_API_KEY="sk-x")
    assert settings.credentials == {}


def test_virtual_keys(compile_text: Compile) -> None:
    settings = compile_text(
        "virtual_keys:\n"
        f"  - {{alias: all, key: {KEY}}}\n"
        "  - alias: some\n"
        "    key: ${SOME_KEY}\n"
        '    models: ["qwen/*-max", doubao-seed-2.0-pro, claude-opus-4-6]\n'
        "    enabled: false\n"
        "    expires_at: 2027-01-01\n"
        "    cidrs: [10.0.0.0/8, '::1/128']\n"
        "    labels: {team: a}\n",
        SOME_KEY="ck-another-key-0123456789",
    )
    every, some = settings.virtual_keys
    assert every.allowed == set(settings.catalog.models)
    assert (every.id, every.expires_at_s, every.enabled) == ("file:all", None, True)
    assert some.secret == Secret("ck-another-key-0123456789")
    assert some.allowed == {
        "qwen/qwen3.7-max",
        "qwen/qwen3-max",
        "doubao-seed-2.0-pro",
        "anthropic/claude-opus-4.6",
    }
    assert some.expires_at_s == datetime.fromisoformat("2027-01-01T00:00:00+08:00").timestamp()
    assert (some.enabled, some.cidrs, some.labels) == (False, ("10.0.0.0/8", "::1/128"), {"team": "a"})


def test_an_expiry_with_an_offset_keeps_it(compile_text: Compile) -> None:
    settings = compile_text(
        f"timezone: America/New_York\nvirtual_keys: [{{alias: a, key: {KEY}, expires_at: '2027-01-01T00:00:00Z'}}]\n"
    )
    assert (
        settings.virtual_keys[0].expires_at_s
        == datetime.fromisoformat("2027-01-01T00:00:00+00:00").timestamp()
    )


def test_a_new_provider_and_model_need_no_code(compile_text: Compile) -> None:
    settings = compile_text(
        "providers:\n  own_rack: {base_url: 'http://10.0.0.5:8000/v1', auth: none, speaks: {open_ai: {}}}\n"
        "models:\n"
        "  - name: own/llama\n    kind: chat\n"
        "    endpoints: [{provider: own_rack, interfaces: [open_ai], as: llama-3}]\n"
    )
    (endpoint,) = settings.catalog.endpoints_for(ModelName("own/llama"), InterfaceId("open_ai"))
    assert (endpoint.name, endpoint.path) == ("own_rack@own/llama@open_ai", "/v1/chat/completions")
    assert [each.secret.reveal() for each in settings.credentials[ProviderId("own_rack")]] == [""]


def test_built_in_entries_can_be_changed(compile_text: Compile) -> None:
    settings = compile_text(
        "providers:\n  aliyun_bailian_bj: {origin: 'http://127.0.0.1:9/x'}\n"
        "models:\n"
        "  - name: qwen/qwen3.7-max\n"
        "    aliases: [best]\n"
        "    endpoints: [{provider: aliyun_bailian_bj, interfaces: [open_ai], as: qwen3.7-max-2026-05-20}]\n"
        "  - {name: doubao-seedream-4.0, enabled: false}\n"
    )
    catalog = settings.catalog
    found = catalog.find("best")
    assert found is not None
    by_interface = {each.interface: each for each in found.model.endpoints if each.provider == BAILIAN}
    chat, messages = by_interface[InterfaceId("open_ai")], by_interface[InterfaceId("anthropic")]
    assert (chat.upstream_name, messages.upstream_name) == ("qwen3.7-max-2026-05-20", "qwen3.7-max")
    assert chat.base_url == "http://127.0.0.1:9/x/compatible-mode/v1"
    assert chat.price is not None
    assert catalog.find("doubao-seedream-4.0") is None


def test_trusted_proxies_are_networks(compile_text: Compile) -> None:
    settings = compile_text("trusted_proxies: [127.0.0.1, '2001:db8::/32']")
    assert settings.trusted_proxies == (ip_network("127.0.0.1/32"), ip_network("2001:db8::/32"))
    assert compile_text("").trusted_proxies == ()


def test_the_simulator_stands_in_for_every_provider(compile_text: Compile) -> None:
    settings = compile_text("simulator: 'http://127.0.0.1:9000/'\n")
    assert settings.simulator == "http://127.0.0.1:9000"
    assert set(settings.credentials) == set(settings.catalog.providers)
    for endpoint in settings.catalog.endpoints.values():
        assert endpoint.base_url.startswith(f"http://127.0.0.1:9000/{endpoint.provider}")
    chat = settings.catalog.find("aliyun_bailian_bj@qwen/qwen3.7-max@open_ai")
    assert chat is not None
    assert chat.pinned is not None
    assert chat.pinned.path == "/aliyun_bailian_bj/compatible-mode/v1/chat/completions"


def test_the_simulator_ignores_the_environment_when_told(compile_text: Compile) -> None:
    settings = compile_text(
        "simulator: http://127.0.0.1:9\ncredentials_from_environment: false\n", OPENAI_API_KEY="sk-real"
    )
    assert all(each.secret.reveal() != "sk-real" for found in settings.credentials.values() for each in found)


def test_paths_in_the_file_are_relative_to_it(compile_text: Compile, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    settings = compile_text("upstream: {ca_file: ca.pem}\njournal: {directory: spool}\n")
    assert settings.upstream.ca_file == str(tmp_path / "ca.pem")
    assert settings.journal_directory == tmp_path / "spool"


def test_the_master_key_comes_from_the_environment(compile_text: Compile) -> None:
    assert compile_text("", AIMESH_MASTER_KEY="m").master_key == Secret("m")
    assert compile_text("").master_key is None


MODEL = "models:\n  - name: own/m\n    kind: chat\n    endpoints:\n"
BAD = [
    ("lisen: []", 1, 1, "did you mean 'listen'?"),
    ("timeouts:\n  conect_s: 5", 2, 3, "did you mean 'connect_s'?"),
    ("timeouts:\n  connect_s: -1", 2, 14, "too small"),
    ("timeouts:\n  connect_s: soon", 2, 14, "expected a number, found 'soon'"),
    ("timeouts: {whole_s: 900, whole_s: 5}", 1, 26, "'whole_s' is set twice"),
    ("limits: {max_connections: 2.5}", 1, 27, "expected a whole number"),
    ("limits: {max_connections: 0}", 1, 27, "at least 1"),
    ("routing: {attempts: 99}", 1, 21, "at most 10"),
    ("listen: 127.0.0.1:80", 1, 9, "expected a list"),
    ("listen: ['127.0.0.1']", 1, 10, "a port is missing"),
    ("listen: ['127.0.0.1:99999']", 1, 10, "from 0 to 65535"),
    ("listen: ['::1:80']", 1, 10, "in brackets"),
    ("admin_listen: ['unix:x']", 1, 16, "absolute path"),
    ("trusted_proxies: ['10.0.0.0/8', '10.0.0.1/8']", 1, 33, "for example 10.0.0.0/8"),
    ("timezone: Asia/Shangai", 1, 11, "unknown time zone 'Asia/Shangai'"),
    ("keys: {reveal: nver}", 1, 16, "did you mean 'never'?"),
    ("log: {level: verbose}", 1, 14, "one of: debug, error, info, warning"),
    ("simulator: on", 1, 12, "'off' or a URL"),
    ("regions:\n  - {id: a, base_url: example.com}", 2, 23, "is no URL"),
    ("regions:\n  - {id: a, base_url: 'http://x'}\n  - {id: a, base_url: 'http://y'}", 3, 10, "a second region 'a'"),
    ("regions:\n  - {id: a}", 2, 5, "'base_url' is missing"),
    ("credentials:\n  aliyun_bailan_bj: k", 2, 3, "did you mean 'aliyun_bailian_bj'?"),
    ("credentials:\n  volcengine_bj: {main: 'a b'}", 2, 25, "no header can carry"),
    ("credentials:\n  volcengine_bj: ${NOT_SET}", 2, 18, "set it, or write ${NOT_SET:-}"),
    ("credentials:\n  volcengine_bj: [k]", 2, 18, "expected a mapping"),
    ("virtual_keys:\n  - {alias: a, key: short}", 2, 21, "at least 16 characters"),
    (f"virtual_keys:\n  - {{alias: a, key: {KEY}}}\n  - {{alias: a, key: {KEY}x}}", 3, 13, "with the alias 'a'"),
    (f"virtual_keys:\n  - {{alias: a, key: {KEY}}}\n  - {{alias: b, key: {KEY}}}", 3, 21, "another key has the same"),
    (f"virtual_keys:\n  - {{alias: a, key: {KEY}, models: [qwen/qwen3.7-mx]}}", 2, 61, "'qwen/qwen3.7-max'?"),
    (f"virtual_keys:\n  - {{alias: a, key: {KEY}, cidrs: [10.0.0.1/8]}}", 2, 60, "did you mean '10.0.0.0/8'?"),
    (f"virtual_keys:\n  - {{alias: a, key: {KEY}, cidrs: [nowhere]}}", 2, 60, "for example 10.0.0.0/8"),
    (f"virtual_keys:\n  - {{alias: a, key: {KEY}, expires_at: tomorrow}}", 2, 64, "for example 2027-12-31"),
    ("virtual_keys:\n  - {alias: a, key: 'twenty chars and blanks'}", 2, 21, "no header can carry"),
    ("regions:\n  - {id: a, base_url: 'http://[x'}", 2, 23, "is no URL"),
    ("virtual_keys:\n  - {alias: a}", 2, 5, "'key' is missing"),
    ("providers:\n  aliyun_bailan_bj: {base_url: 'https://x'}", 2, 3, "did you mean 'aliyun_bailian_bj'?"),
    ("providers:\n  my_rack: {base_url: 'https://x'}", 2, 3, "speaks no interface"),
    ("providers:\n  my_rack: {}", 2, 3, "define it with base_url and speaks"),
    ("providers:\n  my_rack: {speaks: {open_ai: {}}}", 2, 22, "add base_urls.openai or base_url"),
    ("providers:\n  my_rack: {base_url: 'ftp://x', speaks: {open_ai: {}}}", 2, 23, "not allowed here"),
    ("providers:\n  my_rack: {base_url: 'https://x', speaks: {open_ay: {}}}", 2, 45, "did you mean 'open_ai'?"),
    ("providers:\n  volcengine_bj: {auth: basic}", 2, 25, "one of: bearer, none, x_api_key"),
    ("providers:\n  volcengine_bj: {traits: {video_medea: true}}", 2, 28, "did you mean 'video_media'?"),
    (MODEL + "      - {provider: deepseek, interfaces: [open_ai], as: x}", 5, 20, "did you mean 'deepseek_cn'?"),
    (MODEL + "      - {provider: deepseek_cn, interfaces: [responses], as: x}", 5, 46, "it speaks: open_ai, anthropic"),
    (MODEL + "      - {provider: deepseek_cn, interfaces: [open_ai]}", 5, 9, "'as' is missing"),
    (MODEL + "      - {provider: deepseek_cn, interfaces: [open_ai], as: x, price: {currency: EUR}}", 5, 81, "USD"),
    (MODEL + "      - {provider: deepseek_cn, interfaces: [open_ai], as: x, price: {currency: CNY}}", 5, 70, "amount"),
    ("models:\n  - {name: qwen/qwen3.7-mx, context: 5}", 2, 5, "did you mean 'qwen/qwen3.7-max'?"),
    ("models:\n  - {name: own/m, kind: chat, aliases: [qwen3.7-max]}", 2, 41, "already names the model"),
    ("upstream: {ca_file: nowhere.pem}", 1, 21, "no such file"),
    ("upstream: {proxy: 'host:3128'}", 1, 19, "http://host:port"),
    ("a: b: c", 1, 5, "not YAML"),
    ("listen:\n\t- x", 2, 1, "not YAML"),
    ("- a\n- b", 1, 1, "expected a mapping"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "words"), BAD)
def test_a_bad_file_is_refused_at_its_place_with_a_suggestion(
    compile_text: Compile, text: str, line: int, column: int, words: str
) -> None:
    problems = _problems(compile_text, text)
    assert len(problems) == 1, [str(each) for each in problems]
    (problem,) = problems
    assert problem.file.endswith("aimesh.yaml")
    assert (problem.line, problem.column) == (line, column), str(problem)
    assert words in f"{problem.message} ({problem.suggestion})"


def test_everything_wrong_is_said_at_once(compile_text: Compile) -> None:
    problems = _problems(
        compile_text,
        f"timezone: X\nlisten: ['y']\nvirtual_keys: [{{alias: a, key: {KEY}, cidrs: [z], models: [w]}}]\n",
    )
    assert sorted(each.line for each in problems) == [1, 2, 3, 3]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: no such file"):
        compile_settings(tmp_path / "none.yaml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        compile_settings(tmp_path, {})
    (tmp_path / "latin.yaml").write_bytes(b"timezone: \xff\n")
    with pytest.raises(ConfigError, match="not UTF-8"):
        compile_settings(tmp_path / "latin.yaml", {})


@pytest.mark.parametrize(
    ("text", "environ", "words"),
    [
        ("credentials: {deepseek_cn: sk-real}", {}, "'deepseek_cn' has a credential"),
        ("", {"OPENAI_API_KEY": "sk-real"}, "OPENAI_API_KEY is set"),
    ],
)
def test_the_simulator_never_stands_in_for_a_real_provider(
    compile_text: Compile, text: str, environ: dict[str, str], words: str
) -> None:
    (problem,) = _problems(compile_text, f"simulator: http://127.0.0.1:9\n{text}\n", **environ)
    assert (problem.line, problem.column) == (1, 12)
    assert words in problem.message
    assert "sk-real" not in str(problem)


SECRET = "sk-Zq9-never-shown-anywhere-7788"


@pytest.mark.parametrize(
    "text",
    [
        "credentials: {deepseek_cn: [S]}",
        "credentials: {deepseek_cn: {a: {b: S}}}",
        "credentials: {S: x}",
        "credentials: S",
        "virtual_keys: [{alias: a, key: {S: 1}}]",
        "virtual_keys: [{alias: a, key: S, models: [S], cidrs: [S], expires_at: S}]",
        "virtual_keys: [{alias: S, key: S1}, {alias: S, key: S1}]",
        "routing: {attempts: S}",
        "simulator: S",
        "listen: [S]",
        "timezone: S",
        "log: {level: S}",
        "upstream: {proxy: S}",
        "regions: [{id: a, base_url: S}]",
        "database: {S: 1}",
        "models: [{name: m, kind: S}]",
        "providers: {deepseek_cn: {base_url: S}}",
    ],
)
@pytest.mark.parametrize("spelling", [SECRET, "'${HIDDEN}'"])
def test_no_text_of_an_error_holds_a_secret(compile_text: Compile, text: str, spelling: str) -> None:
    problems = _problems(compile_text, text.replace("S", spelling), HIDDEN=SECRET)
    assert problems
    shown = "\n".join(f"{each}{each!r}" for each in problems)
    assert "never-shown-anywhere" not in shown


@pytest.mark.parametrize("text", ["credentials:\n  deepseek_cn: *S\n", "credentials:\n  deepseek_cn: 'S\n"])
def test_broken_yaml_repeats_no_secret(compile_text: Compile, text: str) -> None:
    (problem,) = _problems(compile_text, text.replace("S", SECRET))
    assert "never-shown-anywhere" not in str(problem)


def test_settings_show_no_secret(compile_text: Compile) -> None:
    settings = compile_text(
        f"credentials: {{deepseek_cn: {SECRET}}}\nvirtual_keys: [{{alias: a, key: {SECRET}}}]\n"
        f"database: postgresql://u:{SECRET}@h/d\n",
        AIMESH_MASTER_KEY=SECRET,
    )
    assert "never-shown-anywhere" not in repr(settings)
