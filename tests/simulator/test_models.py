"""Names of models."""

from typing import Any

import pytest

from aimesh.simulator.answers import Call, Dialect, Refusal
from aimesh.simulator.models import dated, require_model


def call(model: Any) -> Call:
    made = Call(method="POST", path="/", provider="", dialect=Dialect.ARK)
    made.body = {"model": model}
    return made


def test_public_names_become_dated_ids() -> None:
    assert dated("doubao-seedream-4.0") == "doubao-seedream-4-0-250828"
    assert dated("doubao-seedream-4-0-250828") == "doubao-seedream-4-0-250828"
    assert dated("ep-20250101-abcde") == "ep-20250101-abcde"


@pytest.mark.parametrize(("model", "status"), [(None, 400), ("", 400), (7, 400), ("x/no-such-model", 404)])
def test_models_that_are_none(model: object, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        require_model(call(model))
    assert refused.value.status == status


def test_any_other_name_is_served() -> None:
    assert require_model(call("whatever")) == "whatever"
