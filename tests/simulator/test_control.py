"""The control doors."""

import base64
import hashlib
import json
from urllib.error import HTTPError

import pytest
from tests.support.simulation import LiveSimulator

PATH = "/prov/v1/chat/completions"
BODY = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


def test_faults_one_list_and_object(sim: LiveSimulator) -> None:
    one = sim.control("POST", "/_sim/faults", {"kind": "gzip", "match": {"provider": "x"}, "times": 3})
    many = sim.control("POST", "/_sim/faults", [{"kind": "gzip"}, {"kind": "no_done"}])
    wrapped = sim.control("POST", "/_sim/faults", {"faults": [{"kind": "chunks", "n": 5}]})
    ids = one["ids"] + many["ids"] + wrapped["ids"]
    listed = sim.control("GET", "/_sim/faults")["faults"]
    assert [fault["id"] for fault in listed] == ids
    assert listed[0]["match"]["provider"] == "x"
    sim.control("DELETE", "/_sim/faults")
    assert sim.control("GET", "/_sim/faults") == {"faults": []}


@pytest.mark.parametrize(
    "body",
    [{"kind": "melt"}, {"kind": "gzip", "often": 3}, {"kind": "gzip", "match": {"colour": "red"}}, [7], 7],
)
def test_wrong_faults_are_refused(sim: LiveSimulator, body: object) -> None:
    with pytest.raises(HTTPError) as refused:
        sim.control("POST", "/_sim/faults", body)
    with refused.value:
        assert refused.value.code == 400
        assert "error" in json.loads(refused.value.read())
    assert sim.control("GET", "/_sim/faults") == {"faults": []}


def test_requests_are_recorded(sim: LiveSimulator) -> None:
    data = json.dumps(BODY).encode()
    sim.post(PATH + "?beta=true", data, x_custom="yes")
    sim.post("/other/v1/chat/completions", BODY)
    mine = sim.control("GET", "/_sim/requests?provider=prov")["requests"]
    assert len(mine) == 1
    seen = mine[0]
    assert (seen["method"], seen["path"], seen["query"], seen["status"]) == ("POST", PATH, "beta=true", 200)
    assert base64.b64decode(seen["body_base64"]) == data
    assert seen["body_sha256"] == hashlib.sha256(data).hexdigest()
    assert seen["headers"]["x-custom"] == "yes"
    assert (seen["ended"], seen["peer_gone"]) == (True, False)
    assert len(sim.control("GET", "/_sim/requests?limit=1")["requests"]) == 1
    sim.control("DELETE", "/_sim/requests")
    assert sim.control("GET", "/_sim/requests") == {"requests": []}


def test_stats(sim: LiveSimulator) -> None:
    before = sim.control("GET", "/_sim/stats")["requests"]
    for _ in range(2):
        sim.post(PATH, BODY)
    stats = sim.control("GET", "/_sim/stats")
    assert stats["requests"] == before + 2
    assert {"provider": "prov", "path": PATH, "count": 2} in stats["paths"]
    assert stats["open_answers"] == 0


def test_settings(sim: LiveSimulator) -> None:
    before = sim.control("POST", "/_sim/settings", {})
    changed = sim.control("POST", "/_sim/settings", {"task_s": 9, "chunk_delay_ms": 1})
    assert changed == {"task_s": 9, "chunk_delay_ms": 1}
    assert sim.control("POST", "/_sim/settings", before) == before


def test_unknown_door(sim: LiveSimulator) -> None:
    with pytest.raises(HTTPError) as refused:
        sim.control("GET", "/_sim/secrets")
    with refused.value:
        assert refused.value.code == 404
