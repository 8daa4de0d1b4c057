"""How fast the journal gets into the database: ``python -m bench.importing``.

The whole way, as the control process goes it: reading segments, decoding, pricing by the built-in catalogue, rows,
roll-ups, points and positions, in one process beside a PostgreSQL of our own or with a SQLite file. Records are those
of a busy hour: 400 keys, 30 endpoints, half of the calls streamed, one in twenty failed.
"""

import argparse
import os
import random
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import structs
from tests.support.postgres import PostgresServer
from tests.support.records import typical_record

from aimesh.control.importing import Importer
from aimesh.core.clock import SystemClock
from aimesh.core.ids import KeyId, RequestId
from aimesh.core.outcome import Outcome
from aimesh.core.record import UsageRecord
from aimesh.core.usage import Usage
from aimesh.settings import Settings, compile_settings
from aimesh.store.database import default_url
from aimesh.store.engine import open_store
from aimesh.store.journal import Journal

_KEYS = 400
_ENDPOINTS = 30
_HOUR_S = 3600.0


def records(settings: Settings, count: int) -> Iterator[UsageRecord]:
    dice = random.Random(4711)
    base = typical_record()
    chats = [one for one in settings.catalog.endpoints.values() if one.kind == "chat"][:_ENDPOINTS]
    begin_s = SystemClock().wall_s() - _HOUR_S
    for number in range(count):
        endpoint = dice.choice(chats)
        is_streamed, has_failed = dice.random() < 0.5, dice.random() < 0.05
        key = dice.randrange(_KEYS)
        yield structs.replace(
            base,
            id=RequestId(f"{number:032x}"),
            at=begin_s + number * _HOUR_S / count,
            key_id=KeyId(f"key-{key}"),
            key_alias=f"key-{key}",
            labels={"team": f"team-{key % 20}"},
            model=endpoint.model,
            endpoint=endpoint.name,
            provider=endpoint.provider,
            stream=is_streamed,
            outcome=Outcome.UPSTREAM_FAILED if has_failed else Outcome.OK,
            usage=Usage(
                input_tokens=dice.randrange(8000), output_tokens=dice.randrange(1000), cached_tokens=100
            ),
            attempts=base.attempts if has_failed else (),
            duration_ms=dice.lognormvariate(7.5, 0.8),
            ttft_ms=dice.lognormvariate(6.0, 0.6) if is_streamed else None,
        )


def run(url: str, home: Path, count: int) -> None:
    settings = compile_settings(None, {"AIMESH_HOME": str(home)})
    journal = Journal(
        settings.journal_directory, process=secrets.randbits(32), clock=SystemClock(), on_alarm=print
    )
    for record in records(settings, count):
        journal.append(record)
    journal.close()
    with (
        closing(open_store(url)) as store,
        closing(
            Importer(store, settings, SystemClock(), lambda name, text: print(name, text, file=sys.stderr))
        ) as importer,
    ):
        began_s, cpu_s = time.perf_counter(), time.process_time()
        while importer.step():
            pass
        wall_s, used_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    assert importer.imported == count
    print(
        f"{store.dialect}: {count / wall_s:,.0f} records/s; {used_s / count * 1e6:.0f} us of CPU each in this process; "
        f"load {os.getloadavg()[0]:.1f}"
    )


@contextmanager
def databases(names: list[str], home: Path) -> Iterator[dict[str, str]]:
    urls = {"sqlite": default_url(home)}
    if "postgresql" not in names:
        yield urls
        return
    server = PostgresServer()
    try:
        with server.database() as url:
            yield urls | {"postgresql": url}
    finally:
        server.remove()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("databases", nargs="*", default=["sqlite", "postgresql"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, databases(given.databases, Path(directory)) as urls:
        for name in given.databases:
            run(urls[name], Path(directory) / name, given.records)


if __name__ == "__main__":
    main()
