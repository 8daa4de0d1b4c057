"""Ready call examples for a model: what ``aimesh examples`` prints and the model's page shows.

Each example is complete: copied as it is into a terminal or a file, it runs.
"""

import json
from collections.abc import Callable

from msgspec import Struct

from aimesh.catalog.snapshot import Model
from aimesh.core.ids import InterfaceId
from aimesh.core.kind import Kind

JsonObject = dict[str, object]


class Example(Struct, frozen=True):
    interface: InterfaceId
    language: str
    """``curl`` or ``python``."""
    code: str


class _Call(Struct, frozen=True):
    path: str
    """Below the gateway's base URL."""
    body: Callable[[str, Kind], JsonObject]
    header: str = "Authorization: Bearer"
    python: Callable[[str, str, str], str] | None = None
    """base URL, key, model to code; None: plain ``requests``."""


def _chat(model: str, _kind: Kind) -> JsonObject:
    return {"model": model, "messages": [{"role": "user", "content": "hello"}]}


def _message(model: str, _kind: Kind) -> JsonObject:
    return {"model": model, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 256}


def _response(model: str, _kind: Kind) -> JsonObject:
    return {"model": model, "input": "hello"}


def _embedding(model: str, _kind: Kind) -> JsonObject:
    text = "AI Gateway 可以统一管理模型调用、路由和用量统计。"
    return {"model": model, "input": text, "encoding_format": "float"}


def _image(model: str, _kind: Kind) -> JsonObject:
    return {"model": model, "prompt": "a white teapot on a blue table", "size": "2048x2048"}


def _task(model: str, kind: Kind) -> JsonObject:
    if kind is Kind.MODEL_3D:
        # All of them take a picture; not all take a text.
        content: JsonObject = {"type": "image_url", "image_url": {"url": "https://example.com/robot.png"}}
    else:
        content = {"type": "text", "text": "a cat runs over a sunny lawn"}
    return {"model": model, "content": [content]}


def _video(model: str, _kind: Kind) -> JsonObject:
    given: JsonObject = {"prompt": "a cat runs over a sunny lawn"}
    picture = "https://example.com/cat.png"
    if "i2v" in model:
        given["media"] = [{"type": "first_frame", "url": picture}]
    elif "r2v" in model:
        given["media"] = [{"type": "reference_image", "url": picture}]
    return {"model": model, "input": given, "parameters": {"resolution": "720P", "duration": 5}}


def _parts(model: str, _kind: Kind) -> JsonObject:
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/product.png"}}
    return {"model": model, "input": [picture, {"type": "text", "text": "商品主图"}]}


def _contents(model: str, _kind: Kind) -> JsonObject:
    contents = [{"image": "https://example.com/product.png"}, {"text": "商品主图"}]
    return {"model": model, "input": {"contents": contents}}


def _openai_sdk(path: str, call: str) -> Callable[[str, str, str], str]:
    def code(base_url: str, key: str, model: str) -> str:
        return (
            "from openai import OpenAI\n\n"
            f'client = OpenAI(base_url="{base_url}{path}", api_key="{key}")\n'
            f"{call.format(model=model)}\n"
        )

    return code


def _anthropic_sdk(base_url: str, key: str, model: str) -> str:
    return (
        "import anthropic\n\n"
        f'client = anthropic.Anthropic(base_url="{base_url}", api_key="{key}")\n'
        "message = client.messages.create(\n"
        f'    model="{model}", max_tokens=256, messages=[{{"role": "user", "content": "hello"}}]\n'
        ")\nprint(message.content)\n"
    )


_CHAT_CALL = (
    "response = client.chat.completions.create(\n"
    '    model="{model}", messages=[{{"role": "user", "content": "hello"}}]\n'
    ")\nprint(response.choices[0].message.content)"
)
_RESPONSE_CALL = (
    'response = client.responses.create(model="{model}", input="hello")\nprint(response.output_text)'
)
_EMBEDDING_CALL = (
    'response = client.embeddings.create(model="{model}", input="hello")\n'
    "print(len(response.data[0].embedding))"
)
_CALLS: dict[str, _Call] = {
    "open_ai": _Call("/v1/chat/completions", _chat, python=_openai_sdk("/v1", _CHAT_CALL)),
    "anthropic": _Call("/v1/messages", _message, header="x-api-key:", python=_anthropic_sdk),
    "responses": _Call("/v1/responses", _response, python=_openai_sdk("/v1", _RESPONSE_CALL)),
    "open_ai_embedding": _Call("/v1/embeddings", _embedding, python=_openai_sdk("/v1", _EMBEDDING_CALL)),
    "open_ai_image": _Call("/v1/images/generations", _image),
    "ark_image": _Call("/api/v3/images/generations", _image),
    "task": _Call("/api/v3/contents/generations/tasks", _task),
    "ark_embedding": _Call("/api/v3/embeddings/multimodal", _parts),
    "dashscope_video": _Call("/api/v1/services/aigc/video-generation/video-synthesis", _video),
    "dashscope_embedding": _Call(
        "/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding", _contents
    ),
}


def examples(model: Model, *, base_url: str, key: str) -> list[Example]:
    """curl and Python for every interface the model can be called over. ``base_url`` ends in ``/gateway``."""
    made: list[Example] = []
    # A shell puts a variable's value in; Python needs a place to write it.
    python_key = "<your-api-key>" if key.startswith("$") else key
    for interface in model.interfaces:
        call = _CALLS[interface]
        # Ark's own models are documented under Ark's prefix; the answer is the same on both.
        is_ark = interface == "open_ai" and any(
            endpoint.prefix.endswith("/api/v3") for endpoint in model.endpoints
        )
        path = "/api/v3/chat/completions" if is_ark else call.path
        body = call.body(model.name, model.kind)
        made.append(Example(interface, "curl", _curl(base_url + path, key, call, body)))
        if call.python is None:
            code = _requests(base_url + path, python_key, body)
        else:
            code = call.python(base_url, python_key, model.name)
            if is_ark:
                code = code.replace(f"{base_url}/v1", f"{base_url}/api/v3")
        made.append(Example(interface, "python", code))
    return made


def _curl(url: str, key: str, call: _Call, body: JsonObject) -> str:
    lines = [f"curl -X POST {url}", f'  -H "{call.header} {key}"']
    if call.header.startswith("x-api-key"):
        lines.append('  -H "anthropic-version: 2023-06-01"')
    lines.append('  -H "Content-Type: application/json"')
    data = json.dumps(body, ensure_ascii=False, indent=2).replace("'", "'\\''")
    return " \\\n".join([*lines, f"  -d '{data}'"]) + "\n"


def _requests(url: str, key: str, body: JsonObject) -> str:
    payload = json.dumps(body, ensure_ascii=False, indent=4)
    return (
        "import requests\n\n"
        f'response = requests.post(\n    "{url}",\n'
        f'    headers={{"Authorization": "Bearer {key}"}},\n'
        f"    json={payload},\n    timeout=60,\n)\n"
        "print(response.status_code)\nprint(response.text)\n"
    )
