import pytest

from aimesh.catalog.schema import Auth
from aimesh.core.secret import Secret
from aimesh.upstream.auth import credential_lines


@pytest.mark.parametrize(
    ("auth", "lines"),
    [("bearer", b"authorization: Bearer s3\r\n"), ("x_api_key", b"x-api-key: s3\r\n"), ("none", b"")],
)
def test_each_scheme_sends_the_credential_its_way(auth: Auth, lines: bytes) -> None:
    assert credential_lines(auth, Secret("s3")) == lines
