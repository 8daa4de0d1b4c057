"""Where paths lead."""

import pytest

from aimesh.simulator import ark_tasks, chat, dashscope_tasks, messages, models, responses
from aimesh.simulator.answers import Dialect
from aimesh.simulator.routes import Router


@pytest.mark.parametrize(
    ("path", "provider", "dialect", "method", "respond", "rest"),
    [
        ("/v1/chat/completions", "", Dialect.OPENAI, "POST", chat.answer, ""),
        ("/v1/v1/messages", "", Dialect.ANTHROPIC, "POST", messages.answer, ""),
        ("/chat/completions", "", Dialect.OPENAI, "POST", chat.answer, ""),
        ("/p/v1/chat/completions/", "p", Dialect.OPENAI, "POST", chat.answer, ""),
        ("/p/v4/chat/completions", "p", Dialect.OPENAI, "POST", chat.answer, ""),
        ("/p/compatible-mode/v1/chat/completions", "p", Dialect.COMPATIBLE, "POST", chat.answer, ""),
        ("/compatible-mode/v1/chat/completions", "", Dialect.COMPATIBLE, "POST", chat.answer, ""),
        ("/p/api/v3/chat/completions", "p", Dialect.ARK, "POST", chat.answer, ""),
        ("/api/v3/chat/completions", "", Dialect.ARK, "POST", chat.answer, ""),
        ("/p/apps/anthropic/v1/messages", "p", Dialect.ANTHROPIC, "POST", messages.answer, ""),
        ("/p/v1/v1/messages/count_tokens", "p", Dialect.ANTHROPIC, "POST", messages.answer_count, ""),
        ("/p/v1/responses/resp_1", "p", Dialect.OPENAI, "GET", responses.retrieve, "resp_1"),
        ("/p/v1/responses/resp_1/input_items", "p", Dialect.OPENAI, "GET", responses.list_input, "resp_1"),
        ("/p/v1/models/qwen/qwen3.7-max", "p", Dialect.OPENAI, "GET", models.answer, "qwen/qwen3.7-max"),
        ("/p/v1/models/qwen%2Fqwen3.7-max", "p", Dialect.OPENAI, "GET", models.answer, "qwen/qwen3.7-max"),
        ("/p/api/v1/tasks", "p", Dialect.DASHSCOPE, "GET", dashscope_tasks.listing, ""),
        ("/p/api/v1/tasks/", "p", Dialect.DASHSCOPE, "GET", dashscope_tasks.listing, ""),
        ("/p/api/v1/tasks/t-1/", "p", Dialect.DASHSCOPE, "GET", dashscope_tasks.fetch, "t-1"),
        ("/p/api/v1/tasks/t-1/cancel", "p", Dialect.DASHSCOPE, "POST", dashscope_tasks.cancel, "t-1"),
        ("/p/api/v3/contents/generations/tasks", "p", Dialect.ARK, "GET", ark_tasks.listing, ""),
        ("/p/api/v3/contents/generations/tasks/cgt-1", "p", Dialect.ARK, "DELETE", ark_tasks.delete, "cgt-1"),
    ],
)
def test_paths(path: str, provider: str, dialect: Dialect, method: str, respond: object, rest: str) -> None:
    router = Router()
    for _ in range(2):
        found = router.find(path.encode())
        assert found is not None
        assert (found.provider, found.dialect, found.rest) == (provider, dialect, rest)
        assert found.methods[method] is respond


def test_unknown_paths_have_a_dialect() -> None:
    router = Router()
    for path, dialect in (
        (b"/p/api/v3/nothing", Dialect.ARK),
        (b"/p/api/v1/nothing", Dialect.DASHSCOPE),
        (b"/p/compatible-mode/v1/nothing", Dialect.COMPATIBLE),
        (b"/p/anthropic/v1/nothing", Dialect.ANTHROPIC),
        (b"/", Dialect.OPENAI),
    ):
        assert router.find(path) is None
        assert router.dialect_of(path) is dialect
