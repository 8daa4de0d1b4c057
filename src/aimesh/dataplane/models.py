"""``GET /models``: what a key may call. Costs nothing, so it holds no ticket and leaves no record."""

from aimesh.core.errors import ModelNotFound
from aimesh.dataplane import headers
from aimesh.dataplane.operations import Action
from aimesh.dataplane.snapshot import callable_models
from aimesh.dataplane.stages import Authenticated
from aimesh.wire.models import ListedModel, encode_model, encode_models

CREATED_AT_S = 1_735_689_600
"""Placeholder date for models without a known release date: both SDK families need a number there."""


def answer(caller: Authenticated) -> None:
    """Raises ``ModelNotFound`` for a single model that is unknown or not permitted."""
    call = caller.recognised
    arrival = call.arrival
    listed = [
        ListedModel(
            id=model.name,
            title=model.title,
            owner=model.vendor,
            created_at_s=CREATED_AT_S,
            description=model.description,
            max_input_tokens=model.max_input or 0,
            max_output_tokens=model.max_output or 0,
        )
        for model in callable_models(arrival.snapshot, caller.key)
    ]
    if call.match.operation.action is Action.LIST_MODELS:
        body = encode_models(listed)
    else:
        wanted = call.match.item
        found = arrival.snapshot.catalog.find(wanted)
        name = found.model.name if found is not None else wanted
        chosen = next((model for model in listed if model.id == name), None)
        if chosen is None:
            raise ModelNotFound(f"Model {wanted[:100]!r} does not exist or this key may not call it")
        body = encode_model(chosen)
    arrival.reply.send(200, headers.own_answer(arrival.id), body)
