"""Names of things, as distinct types, and request ids.

1. An id is a plain string at run time; the type checker keeps the kinds apart.
2. Request ids sort by time of creation, are unique across processes, and say nothing about the caller.
"""

from typing import NewType

ProviderId = NewType("ProviderId", str)
"""Account and region that runs models: ``aliyun_bailian_bj``."""
ModelName = NewType("ModelName", str)
"""Public name a caller asks for: ``qwen/qwen3.7-max``."""
EndpointName = NewType("EndpointName", str)
"""``{provider}@{model}@{interface}``."""
InterfaceId = NewType("InterfaceId", str)
"""Wire protocol, the third part of an endpoint name: ``open_ai``."""
KeyId = NewType("KeyId", str)
"""Identity of a virtual key; survives rotation, is not the secret."""
TenantId = NewType("TenantId", str)
UserId = NewType("UserId", str)
RequestId = NewType("RequestId", str)
TaskId = NewType("TaskId", str)
"""A long job's id: the upstream's own."""
CredentialId = NewType("CredentialId", str)
"""Name of a secret held towards a provider; not the secret."""

DEFAULT_TENANT = TenantId("default")


class RequestIds:
    """Makes request ids: 12 hex digits of milliseconds, 8 of the process, 12 of a counter.

    The process part is random per instance, so two workers never collide; the counter makes ids of one
    millisecond distinct and ordered.
    """

    __slots__ = ("_count", "_millisecond", "_prefix", "_process")

    def __init__(self, process: int) -> None:
        self._process = f"{process & 0xFFFFFFFF:08x}"
        self._count = 0
        self._millisecond = 0
        self._prefix = ""

    def make(self, now_s: float) -> RequestId:
        """The next id; ``now_s`` is wall-clock seconds."""
        self._count += 1
        millisecond = int(now_s * 1000)
        if millisecond != self._millisecond:
            self._millisecond = millisecond
            self._prefix = f"{millisecond:012x}{self._process}"
        return RequestId(f"{self._prefix}{self._count:012x}")
