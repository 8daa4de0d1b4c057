"""The built-in data: it parses, it is complete, it is fresh, and adding to it takes YAML only."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec import json
from tests.support.catalogs import built_in, catalog

from aimesh.catalog import load
from aimesh.catalog.load import COMPILED, DATA, digest_of, load_built_in, parse, read_files
from aimesh.catalog.problem import ConfigError
from aimesh.catalog.schema import DEFAULT_PATHS, BuiltIn
from aimesh.catalog.snapshot import Catalog, compile_catalog
from aimesh.core.ids import InterfaceId, ModelName
from aimesh.core.traits import Traits


@pytest.fixture(scope="module")
def shipped() -> Catalog:
    parts = load_built_in()
    return compile_catalog(parts.providers, parts.models)


SEED = [
    ("qwen/qwen3.7-max", "chat", {"open_ai", "anthropic", "responses"}),
    ("anthropic/claude-opus-4.6", "chat", {"anthropic"}),
    ("happyhorse-1.0-t2v", "video", {"dashscope_video"}),
    ("happyhorse-1.0-i2v", "video", {"dashscope_video"}),
    ("happyhorse-1.0-r2v", "video", {"dashscope_video"}),
    ("qwen/text-embedding-v4", "embedding", {"open_ai_embedding"}),
    ("qwen3-vl-embedding", "embedding", {"dashscope_embedding"}),
    ("doubao-seed-2.0-pro", "chat", {"open_ai", "responses"}),
    ("doubao-seedream-5.0-lite", "image", {"ark_image"}),
    ("doubao-seedream-4.5", "image", {"ark_image"}),
    ("doubao-seedream-4.0", "image", {"ark_image"}),
    ("doubao-seedance-2.0", "video", {"task"}),
    ("doubao-seedance-2.0-fast", "video", {"task"}),
    ("doubao-seedance-1.5-pro", "video", {"task"}),
    ("doubao-seedance-1.0-pro", "video", {"task"}),
    ("doubao-seedance-1.0-pro-fast", "video", {"task"}),
    ("doubao-embedding-vision", "embedding", {"ark_embedding"}),
    ("doubao-seed3d-2.0", "3d", {"task"}),
    ("Hyper3d-Gen2", "3d", {"task"}),
    ("Hitem3d-2.0", "3d", {"task"}),
]


@pytest.mark.parametrize(("name", "kind", "interfaces"), SEED)
def test_every_model_of_the_seed_can_be_called(
    shipped: Catalog, name: str, kind: str, interfaces: set[str]
) -> None:
    found = shipped.find(name)
    assert found is not None
    assert found.pinned is None
    assert found.model.kind == kind
    assert set(found.model.interfaces) == interfaces
    for interface in interfaces:
        assert shipped.endpoints_for(found.model.name, InterfaceId(interface))


@pytest.mark.parametrize(
    ("name", "upstream", "url"),
    [
        (
            "aliyun_bailian_bj@qwen/qwen3.7-max@open_ai",
            "qwen3.7-max",
            "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions",
        ),
        (
            "aliyun_bailian_bj@qwen/qwen3.7-max@anthropic",
            "qwen3.7-max",
            "https://dashscope.aliyuncs.com/apps/anthropic/v1/messages",
        ),
        (
            "volcengine_bj@doubao-seedance-2.0@task",
            "doubao-seedance-2-0-260128",
            "https://ark.cn-beijing.volces.com/api/v3/contents/generations/tasks",
        ),
        (
            "aliyun_bailian_bj@happyhorse-1.0-t2v@dashscope_video",
            "happyhorse-1.0-t2v",
            "https://dashscope.aliyuncs.com/api/v1/services/aigc/video-generation/video-synthesis",
        ),
        (
            "anthropic_global@anthropic/claude-opus-4.6@anthropic",
            "claude-opus-4-6",
            "https://api.anthropic.com/v1/messages",
        ),
    ],
)
def test_endpoints_of_the_seed_lead_where_the_documents_say(
    shipped: Catalog, name: str, upstream: str, url: str
) -> None:
    found = shipped.find(name)
    assert found is not None
    assert found.pinned is not None
    endpoint = found.pinned
    assert endpoint.upstream_name == upstream
    assert f"https://{endpoint.host}{endpoint.path}" == url
    assert endpoint.base_url + endpoint.paths.path == url


def test_deviations_of_the_seed_are_traits(shipped: Catalog) -> None:
    def traits(name: str, interface: str) -> Traits:
        return shipped.endpoints_for(ModelName(name), InterfaceId(interface))[0].traits

    for kind in ("t2v", "i2v", "r2v"):
        assert traits(f"happyhorse-1.0-{kind}", "dashscope_video").video_media
    assert not traits("doubao-seed-2.0-pro", "open_ai").developer_role
    assert not traits("qwen/text-embedding-v4", "open_ai_embedding").base64_embeddings


def test_every_price_has_a_source_and_a_date(shipped: Catalog) -> None:
    priced = [each for each in shipped.endpoints.values() if each.price is not None]
    assert len(priced) > 80
    for endpoint in priced:
        assert endpoint.price is not None
        assert endpoint.price.entry.source, endpoint.name
        assert endpoint.price.entry.date, endpoint.name


def test_names_are_unique(shipped: Catalog) -> None:
    endpoints = [each.name for model in shipped.models.values() for each in model.endpoints]
    assert len(endpoints) == len(set(endpoints)) == len(shipped.endpoints)
    names = [*shipped.models, *shipped.aliases, *endpoints]
    assert len(names) == len(set(names)) == len(shipped.found)


def test_no_provider_is_named_like_an_interface_or_a_family(shipped: Catalog) -> None:
    words = set(DEFAULT_PATHS) | {family for family, _ in DEFAULT_PATHS.values()}
    assert not words & set(shipped.providers)


def test_what_is_generated_is_fresh() -> None:
    root = Path(__file__).resolve().parents[2]
    checked = subprocess.run(
        [sys.executable, str(root / "scripts" / "generate_reference.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(root / "src")},
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", ""), (
        "run: python scripts/generate_reference.py"
    )


def test_the_compiled_file_says_what_the_yaml_says() -> None:
    files = read_files(DATA)
    compiled = json.decode(COMPILED.read_bytes(), type=BuiltIn)
    assert compiled == parse(files)
    assert COMPILED.read_bytes() == load.encode(compiled)
    assert compiled.digest == digest_of(files)


def test_a_changed_data_file_is_used_although_the_compiled_one_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in read_files(DATA).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "catalog.json").write_bytes(COMPILED.read_bytes())
    monkeypatch.setattr(load, "DATA", tmp_path)
    monkeypatch.setattr(load, "COMPILED", tmp_path / "catalog.json")
    assert "new/model" not in {model.name for model in load_built_in().models}
    (tmp_path / "models" / "new.yaml").write_text("vendor: New\nmodels: [{name: new/model, kind: chat}]\n")
    assert "new/model" in {model.name for model in load_built_in().models}
    (tmp_path / "catalog.json").write_bytes(b"{broken")
    assert "new/model" in {model.name for model in load_built_in().models}


def test_a_cold_start_of_the_catalogue_is_quick() -> None:
    began = time.process_time()
    parts = load_built_in()
    compile_catalog(parts.providers, parts.models)
    assert time.process_time() - began < 0.1


PROVIDER = """
name: New AI
base_url: https://api.new.example/v1
auth: bearer
environment: NEW_API_KEY
speaks: {open_ai: {}, open_ai_embedding: {path: /vectors}}
"""
MODELS = """
vendor: New
models:
  - name: new/chat-1
    kind: chat
    aliases: [chat-1]
    endpoints: [{provider: new_bj, interfaces: [open_ai], as: chat-one}]
  - name: new/vectors
    kind: embedding
    endpoints: [{provider: new_bj, interfaces: [open_ai_embedding], as: v1}]
"""


def test_a_provider_and_its_models_are_yaml_only() -> None:
    added = catalog({"providers/new_bj.yaml": PROVIDER, "models/new.yaml": MODELS})
    (chat,) = added.endpoints_for(ModelName("new/chat-1"), InterfaceId("open_ai"))
    assert (chat.base_url, chat.path, chat.upstream_name) == (
        "https://api.new.example/v1",
        "/v1/chat/completions",
        "chat-one",
    )
    (vectors,) = added.endpoints_for(ModelName("new/vectors"), InterfaceId("open_ai_embedding"))
    assert vectors.path == "/v1/vectors"
    assert added.find("chat-1") == added.find("new/chat-1")


_ENDPOINT = """vendor: N
models:
  - name: a
    kind: chat
    endpoints:
      - provider: new_bj
        interfaces: [open_ai]
"""


@pytest.mark.parametrize(
    ("models", "line", "column", "words"),
    [
        (_ENDPOINT.replace("new_bj", "new_bk"), 6, 19, "did you mean 'new_bj'?"),
        (_ENDPOINT.replace("open_ai", "anthropic"), 7, 22, "does not speak anthropic"),
        (_ENDPOINT.replace("chat", "video"), 7, 22, "cannot carry"),
        (_ENDPOINT + "        price: {currency: CNY, per_image: 1}\n", 8, 16, "a source and a date"),
        (_ENDPOINT + "        price: {per_image: 1}\n", 8, 16, "'currency' is missing"),
        (_ENDPOINT + "        traits: {developer_rol: false}\n", 8, 18, "did you mean 'developer_role'?"),
        ("vendor: N\nmodels:\n  - {name: a}\n", 3, 5, "'kind' is missing"),
        (
            "vendor: N\nmodels:\n  - {name: a, kind: chat}\n  - {name: a, kind: chat}\n",
            4,
            12,
            "defined twice",
        ),
        (
            "vendor: N\nmodels:\n  - {name: a, kind: chat}\n  - {name: b, kind: chat, aliases: [a]}\n",
            4,
            37,
            "already names the model 'a'",
        ),
        (
            "vendor: N\nmodels:\n"
            "  - {name: a, kind: chat, aliases: [x]}\n"
            "  - {name: b, kind: chat, aliases: [x]}\n",
            4,
            37,
            "already names the model 'a'",
        ),
    ],
)
def test_a_wrong_data_file_is_refused_at_its_place(models: str, line: int, column: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        built_in({"providers/new_bj.yaml": PROVIDER, "models/n.yaml": models})
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == ("models/n.yaml", line, column)
    assert words in f"{problem.message} {problem.suggestion}"


@pytest.mark.parametrize(
    ("provider", "models", "words"),
    [
        ("name: [", "vendor: N\nmodels: []\n", "providers/new_bj.yaml:2:1: not YAML"),
        ("nmae: x", "vendor: N\nmodels: []\n", "providers/new_bj.yaml:1:1: unknown key 'nmae'"),
        (PROVIDER, "models: []\n", "models/n.yaml:1:1: the key 'vendor' is missing"),
    ],
)
def test_a_broken_data_file_is_named(provider: str, models: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        built_in({"providers/new_bj.yaml": provider, "models/n.yaml": models})
    assert words in str(caught.value)


def test_a_model_has_one_home() -> None:
    one = "vendor: N\nmodels: [{name: a, kind: chat}]\n"
    with pytest.raises(ConfigError, match="another file"):
        built_in({"models/a.yaml": one, "models/b.yaml": one})
