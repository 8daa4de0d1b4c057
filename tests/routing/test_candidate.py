from tests.support.routes import MODEL, catalog_of, credential, make

from aimesh.core.ids import EndpointName


def test_a_circuit_is_the_endpoint_and_the_credential() -> None:
    endpoint = catalog_of({"alpha": 1}).endpoints[EndpointName(f"alpha@{MODEL}@open_ai")]
    candidate = make(endpoint, credential("alpha+mine"))
    assert candidate.circuit == (f"alpha@{MODEL}@open_ai", "us:mine")


def test_no_secret_shows() -> None:
    endpoint = catalog_of({"alpha": 1}).endpoints[EndpointName(f"alpha@{MODEL}@open_ai")]
    given = credential("alpha+mine")
    assert "secret alpha" not in repr(given)
    assert "secret alpha" not in repr(make(endpoint, given))
