"""``/_sim/...``: the doors for tests, benchmarks and the demo.

POST   /_sim/faults     a fault, a list of them, or {"faults": [...]}; gives {"ids": [...]}
GET    /_sim/faults     those that are set        DELETE  /_sim/faults     none any more
GET    /_sim/requests   ?limit= &provider=        DELETE  /_sim/requests   forget them
GET    /_sim/stats      counts per provider and path, open answers, peers gone
POST   /_sim/settings   {"task_s", "chunk_delay_ms"}, each optional
"""

from urllib.parse import parse_qs

import msgspec

from aimesh.net.message import Request
from aimesh.simulator.answers import Whole, encode_json, whole
from aimesh.simulator.faults import Fault, FaultBook
from aimesh.simulator.record import Recorder
from aimesh.simulator.world import Settings

PREFIX = b"/_sim/"


class _Faults(msgspec.Struct, forbid_unknown_fields=True):
    faults: list[Fault]


class _Change(msgspec.Struct, forbid_unknown_fields=True):
    task_s: float | None = None
    chunk_delay_ms: float | None = None


class Control:
    def __init__(self, faults: FaultBook, recorder: Recorder, settings: Settings) -> None:
        self._faults = faults
        self._recorder = recorder
        self._settings = settings

    def answer(self, request: Request) -> Whole:
        try:
            return self._answer(request)
        except msgspec.MsgspecError as error:
            return Whole(encode_json({"error": str(error)}), status=400)

    def _answer(self, request: Request) -> Whole:
        match request.method, request.path[len(PREFIX) :]:
            case b"POST", b"faults":
                return whole({"ids": [self._faults.add(fault) for fault in _read_faults(request.body)]})
            case b"GET", b"faults":
                return whole({"faults": self._faults.faults})
            case b"DELETE", b"faults":
                self._faults.clear()
            case b"GET", b"requests":
                query = parse_qs(request.query.decode("latin-1"))
                limit = query.get("limit", ["100"])[0]
                count = int(limit) if limit.isdigit() else 100
                return whole({"requests": self._recorder.last(count, query.get("provider", [None])[0])})
            case b"DELETE", b"requests":
                self._recorder.clear()
            case b"GET", b"stats":
                return whole(self._recorder.stats())
            case b"POST", b"settings":
                change = msgspec.json.decode(request.body, type=_Change)
                if change.task_s is not None:
                    self._settings.task_s = change.task_s
                if change.chunk_delay_ms is not None:
                    self._settings.chunk_delay_ms = change.chunk_delay_ms
                return whole(msgspec.to_builtins(self._settings))
            case _:
                return Whole(encode_json({"error": "unknown control path"}), status=404)
        return Whole(b"{}")


def _read_faults(body: bytes) -> list[Fault]:
    if body.lstrip()[:1] == b"[":
        return msgspec.json.decode(body, type=list[Fault])
    raw = msgspec.json.decode(body)
    if isinstance(raw, dict) and "faults" in raw:
        return msgspec.convert(raw, type=_Faults).faults
    return [msgspec.convert(raw, type=Fault)]
