"""The interfaces that the gateway speaks: an explicit list, looked up by id."""

from aimesh.core.ids import InterfaceId
from aimesh.wire.anthropic.interface import Messages
from aimesh.wire.interface import Interface
from aimesh.wire.open_ai.interface import OpenAiChat

INTERFACES: tuple[Interface, ...] = (OpenAiChat(), Messages())

_BY_ID = {interface.id: interface for interface in INTERFACES}


def find_interface(interface_id: str) -> Interface | None:
    return _BY_ID.get(InterfaceId(interface_id))
