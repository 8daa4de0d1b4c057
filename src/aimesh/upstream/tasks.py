"""Questions to a provider about a long job: how far it is, or that it be cancelled.

1. They go to the endpoint the job was made at, with the credential it was made with (``candidate``).
2. Nothing of a caller's request travels with them, and nothing is sent as a body.
"""

from urllib.parse import quote

from msgspec import Struct

from aimesh.core.clock import Clock
from aimesh.core.usage import Usage
from aimesh.net.message import Client, Timeouts
from aimesh.routing.candidate import Candidate
from aimesh.upstream.attempt import Errand, Failure, Opened, Whole, attempt
from aimesh.wire.interface import Answer, Prepared, Tap, UpstreamError
from aimesh.wire.tasks import TaskInterface

NOTHING_TO_SEND = Prepared(body=b"", stream=False)
QUERY_TIMEOUTS = Timeouts(connect_s=5.0, first_byte_s=15.0, idle_s=15.0, whole_s=20.0)


class TaskJudge(Struct, frozen=True):
    """Judges the answer to a query or a cancellation; see ``upstream.attempt.Judge``."""

    interface: TaskInterface
    asked: Usage | None
    """What was asked for at creation; None: a cancellation, whose success has no content worth reading."""
    once: bool = False

    def read_answer(self, body: bytes, _prepared: Prepared, /) -> Answer:
        return Answer(body) if self.asked is None else self.interface.read_task(body, self.asked)

    def read_error(self, status: int, body: bytes) -> UpstreamError:
        return self.interface.read_error(status, body)

    def open_tap(self, prepared: Prepared) -> Tap:
        return self.interface.open_tap(prepared)


class TaskQuestion(Struct, frozen=True):
    task_id: str
    judge: TaskJudge
    timeouts: Timeouts = QUERY_TIMEOUTS


async def ask_about(
    client: Client, candidate: Candidate, question: TaskQuestion, *, clock: Clock
) -> Whole | Failure:
    """Whether it is a query or a cancellation, the question's judge says."""
    endpoint, judge = candidate.endpoint, question.judge
    is_query = judge.asked is not None
    method, path = (
        ("GET", endpoint.paths.task) if is_query else (judge.interface.cancel_method, endpoint.paths.cancel)
    )
    whole_path = endpoint.prefix + path.replace("{id}", quote(question.task_id, safe=""))
    head = b"".join(
        (
            f"{method} {whole_path} HTTP/1.1\r\n".encode("ascii"),
            candidate.head.reveal(),
            b"accept: application/json\r\n",
        )
    )
    verdict = await attempt(client, candidate, Errand(judge, head, NOTHING_TO_SEND, question.timeouts), clock)
    assert not isinstance(verdict, Opened)
    return verdict
