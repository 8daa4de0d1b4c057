"""What a request is for, by its method and path alone."""

from collections.abc import Mapping

from aimesh.core.ids import InterfaceId
from aimesh.dataplane.operations import match
from aimesh.dataplane.stages import Arrival, Recognised
from aimesh.wire.interface import Interface


def recognise(arrival: Arrival, interfaces: Mapping[InterfaceId, Interface]) -> Recognised:
    """Raises ``MissingPath`` or ``MethodNotAllowed``."""
    found = match(arrival.request.method, arrival.request.path)
    return Recognised(arrival, found, interfaces[found.operation.interface])
