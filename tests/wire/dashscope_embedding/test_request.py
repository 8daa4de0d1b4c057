"""Both input shapes give the same upstream body; golden cases hold every single shape."""

import pytest

from aimesh.core.errors import BadRequest
from aimesh.wire.dashscope_embedding.request import adapt

URL = "https://example.com/product.png"


@pytest.mark.parametrize(
    ("listed", "official"),
    [
        (
            f'{{"model":"q","input":[{{"type":"image_url","image_url":{{"url":"{URL}"}}}},{{"type":"text","text":"商品主图"}}]}}',
            f'{{"model":"q","input":{{"contents":[{{"image":"{URL}"}},{{"text":"商品主图"}}]}}}}',
        ),
        (
            '{"model":"q","input":["a"],"dimensions":512}',
            '{"model":"q","input":{"contents":[{"text":"a"}]},"dimension":512}',
        ),
        ('{"model":"q","input":"a"}', '{"model":"q","input":{"contents":[{"text":"a"}]}}'),
    ],
)
def test_one_body_for_both_shapes(listed: str, official: str) -> None:
    assert adapt(listed.encode()) == adapt(official.encode())


def test_the_official_shape_keeps_its_bytes() -> None:
    body = b'{ "model":"q",\n "input" : {"contents":[ {"text":"a", "factor": 1.0} ]} }'
    assert adapt(body) == body


def test_parameters_that_are_no_object_cannot_take_a_dimension() -> None:
    with pytest.raises(BadRequest) as refusal:
        adapt(b'{"model":"q","input":"a","dimension":5,"parameters":[]}')
    assert refusal.value.param == "parameters"
