"""The interfaces that the gateway speaks: an explicit list, looked up by id."""

from aimesh.core.ids import InterfaceId
from aimesh.wire.anthropic.interface import Messages
from aimesh.wire.ark_embedding.interface import ARK_EMBEDDINGS
from aimesh.wire.ark_image.interface import ArkImages
from aimesh.wire.dashscope_embedding.interface import DashScopeEmbeddings
from aimesh.wire.dashscope_video.interface import DashScopeVideo
from aimesh.wire.interface import Interface
from aimesh.wire.open_ai.interface import OpenAiChat
from aimesh.wire.open_ai_embedding.interface import EMBEDDINGS
from aimesh.wire.open_ai_image.interface import OpenAiImages
from aimesh.wire.responses.interface import Responses
from aimesh.wire.task.interface import ArkTasks
from aimesh.wire.tasks import TaskInterface

TASK_INTERFACES: tuple[TaskInterface, ...] = (ArkTasks(), DashScopeVideo())
"""Those whose calls make long jobs."""

INTERFACES: tuple[Interface, ...] = (
    OpenAiChat(),
    Messages(),
    Responses(),
    EMBEDDINGS,
    OpenAiImages(),
    ArkImages(),
    ARK_EMBEDDINGS,
    DashScopeEmbeddings(),
    *TASK_INTERFACES,
)

_BY_ID = {interface.id: interface for interface in INTERFACES}
_TASKS_BY_ID = {interface.id: interface for interface in TASK_INTERFACES}


def find_interface(interface_id: str) -> Interface | None:
    return _BY_ID.get(InterfaceId(interface_id))


def find_task_interface(interface_id: str) -> TaskInterface | None:
    return _TASKS_BY_ID.get(InterfaceId(interface_id))
