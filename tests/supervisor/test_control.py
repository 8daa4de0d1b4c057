from pathlib import Path

import pytest

from aimesh.settings import compile_settings
from aimesh.supervisor.control import public_address


@pytest.mark.parametrize(
    ("listened", "address"),
    [
        ("127.0.0.1:8600", "http://127.0.0.1:8600"),
        ("0.0.0.0:8600", "http://127.0.0.1:8600"),
        ("[::]:80", "http://127.0.0.1:80"),
        ("[::1]:80", "http://[::1]:80"),
    ],
)
def test_people_are_sent_where_the_gateway_listens(listened: str, address: str, tmp_path: Path) -> None:
    settings = compile_settings(None, {"AIMESH_HOME": str(tmp_path)})
    assert public_address(settings, listened) == address


def test_people_are_sent_to_the_first_region_where_there_is_one(tmp_path: Path) -> None:
    file = tmp_path / "aimesh.yaml"
    file.write_text(
        "regions: [{id: a, base_url: 'https://ai.test/gateway'}, {id: b, base_url: 'https://b.test'}]"
    )
    settings = compile_settings(file, {"AIMESH_HOME": str(tmp_path)})
    assert public_address(settings, "127.0.0.1:8600") == "https://ai.test"
