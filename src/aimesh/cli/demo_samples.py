"""Calls for a first look: a demo's usage page, tasks and charts have something to show that really happened.

Run beside the demo by ``aimesh demo --samples``, in a process of its own that ends by itself. The key comes on standard
input: a command line is read by everybody on the machine. Every call goes to simulated providers, or is not made.
"""

import os
import sys
import time

import httpx

_MOST_S = 90.0
"""For the gateway to come up and all calls to end."""
_PAUSE_S = 0.15
"""Between two calls: the demo must feel idle while its user looks around."""

Body = dict[str, object]


def sample_calls() -> list[tuple[str, Body]]:
    """Path and body of each call, in turn; a mix of kinds, vendors and outcomes."""
    calls: list[tuple[str, Body]] = []
    models = ("qwen/qwen3.7-max", "deepseek/deepseek-v4-pro", "zhipu/glm-5.1", "moonshotai/kimi-k2.6")
    for number in range(20):
        question = {"role": "user", "content": f"Sum up the report of week {number + 1} in one sentence."}
        body: Body = {
            "model": models[number % len(models)],
            "messages": [question],
            "stream": number % 2 == 0,
        }
        calls.append(("/v1/chat/completions", body))
    film = {"model": "doubao-seedance-2.0", "content": [{"type": "text", "text": "a fox runs through snow"}]}
    shape = {"model": "doubao-seed3d-2.0", "content": [{"type": "text", "text": "a small lighthouse"}]}
    sea: Body = {"model": "happyhorse-1.0-t2v", "input": {"prompt": "the sea at dawn"}}
    picture: Body = {"model": "doubao-seedream-5.0-lite", "prompt": "a red bicycle", "size": "2048x2048"}
    vector: Body = {"model": "qwen/text-embedding-v4", "input": ["one", "two"]}
    calls += [
        ("/v1/embeddings", vector),
        ("/api/v3/images/generations", picture),
        ("/api/v3/contents/generations/tasks", dict(film)),
        ("/api/v3/contents/generations/tasks", dict(shape)),
        ("/api/v1/services/aigc/video-generation/video-synthesis", sea),
        ("/v1/chat/completions", {"model": "no-such-model", "messages": []}),
    ]
    return calls


def run(url: str, key: str) -> int:
    """How many calls were answered with 200."""
    until_s = time.monotonic() + _MOST_S
    headers = {"authorization": f"Bearer {key}"}
    good = 0
    with httpx.Client(base_url=url, headers=headers, timeout=20.0, trust_env=False) as client:
        if not _comes_up(client, until_s):
            return 0
        for path, body in sample_calls():
            if time.monotonic() > until_s:
                break
            try:
                good += client.post(f"/gateway{path}", json=body).status_code == httpx.codes.OK
            except httpx.HTTPError:
                # The demo was stopped.
                break
            time.sleep(_PAUSE_S)
    return good


def _comes_up(client: httpx.Client, until_s: float) -> bool:
    while time.monotonic() < until_s:
        try:
            if client.get("/readyz").status_code == httpx.codes.OK:
                return True
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    return False


def main() -> None:
    key = sys.stdin.readline().strip()
    # The demo waits for this process and becomes the supervisor, which would not; its child goes on alone.
    if os.fork() == 0:
        run(sys.argv[1], key)


if __name__ == "__main__":
    main()
