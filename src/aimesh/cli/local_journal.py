"""The journal of this machine against the database, and importing it here and now."""

import time
from contextlib import closing
from datetime import UTC, datetime

from aimesh.cli.faults import Refused
from aimesh.cli.output import Document
from aimesh.control.importing import RETRY_S, Importer
from aimesh.core.clock import SystemClock
from aimesh.settings import Settings
from aimesh.store.database import url_of
from aimesh.store.engine import Store, open_store
from aimesh.store.import_note import read_note
from aimesh.store.journal_progress import (
    Survey,
    is_imported_by_another,
    read_import_times,
    read_positions,
    survey,
)
from aimesh.store.node import node_id
from aimesh.store.rejected import ask_for_retry, is_retry_asked_for, list_rejected, reasons
from aimesh.store.session import StoreError

_LOOK_EVERY_S = 0.2


def status(settings: Settings) -> Document:
    """Raises ``Refused``."""
    try:
        return _status(settings)
    except OSError as error:
        raise Refused(f"the journal cannot be read: {error.strerror}") from error


def _status(settings: Settings) -> Document:
    directory = settings.journal_directory
    node = node_id(settings.home)
    note = read_note(directory)
    problem = note.problem if note is not None else ""
    try:
        with closing(_open(settings)) as store, store.read() as db:
            positions = read_positions(db, node)
            done_at_s = read_import_times(db).get(node, 0.0)
    except StoreError as error:
        # What was imported last is also noted beside the journal.
        problem = str(error)
        positions = note.positions if note is not None else {}
        done_at_s = note.done_at_s if note is not None else 0.0
    return _shown(settings, node, survey(directory, positions), done_at_s) | {"problem": problem}


def drain(settings: Settings, timeout_s: float) -> Document:
    """Raises ``Refused``."""
    problems: dict[str, str] = {}
    end_s = time.monotonic() + timeout_s if timeout_s else float("inf")
    try:
        with closing(_open(settings)) as store:
            importer = Importer(store, settings, SystemClock(), problems.__setitem__)
            with closing(importer):
                wanted = survey(settings.journal_directory, _positions(store, importer.node)).ends
                while _is_left(store, importer.node, wanted) and time.monotonic() < end_s:
                    if not importer.step():
                        time.sleep(RETRY_S if problems.get("import") else _LOOK_EVERY_S)
                drained = not _is_left(store, importer.node, wanted)
    except StoreError as error:
        raise Refused(str(error)) from error
    except OSError as error:
        raise Refused(f"the journal cannot be read: {error.strerror}") from error
    return status(settings) | {"drained": drained}


def retry(settings: Settings, timeout_s: float) -> Document:
    """Tries the records again that were set aside: by the process that imports, else here. Raises ``Refused``."""
    directory = settings.journal_directory
    end_s = time.monotonic() + timeout_s if timeout_s else float("inf")
    try:
        before = len(list_rejected(directory))
        if before:
            ask_for_retry(directory)
            with closing(_open(settings)) as store, closing(_importer(store, settings)) as importer:
                while is_retry_asked_for(directory) and time.monotonic() < end_s:
                    importer.step()
                    time.sleep(_LOOK_EVERY_S if is_retry_asked_for(directory) else 0.0)
        tried = not is_retry_asked_for(directory)
    except StoreError as error:
        raise Refused(str(error)) from error
    except OSError as error:
        raise Refused(f"the journal cannot be read: {error.strerror}") from error
    found = status(settings)
    return found | {"tried_again": tried, "imported_records": before - int(found["rejected_records"])}


def _importer(store: Store, settings: Settings) -> Importer:
    return Importer(store, settings, SystemClock(), lambda _name, _message: None)


def _open(settings: Settings) -> Store:
    """Raises ``StoreError``."""
    return open_store(url_of(settings.database, settings.home))


def _positions(store: Store, node: str) -> dict[str, int]:
    with store.read() as db:
        return read_positions(db, node)


def _is_left(store: Store, node: str, wanted: dict[str, int]) -> bool:
    """Whether something of what was there at the beginning is not in the database."""
    positions = _positions(store, node) if wanted else {}
    return any(positions.get(segment, 0) < end for segment, end in wanted.items())


def _shown(settings: Settings, node: str, found: Survey, done_at_s: float) -> Document:
    now_s = SystemClock().wall_s()
    oldest_s = found.oldest_at_s
    return {
        "node": node,
        "directory": str(settings.journal_directory),
        "segments": found.segments,
        "bytes": found.bytes,
        "waiting_records": found.waiting,
        "waiting_bytes": found.waiting_bytes,
        "oldest_waiting_at": None if oldest_s is None else _iso(oldest_s),
        "lag_seconds": 0.0 if oldest_s is None else round(max(0.0, now_s - oldest_s), 3),
        "imported_until": _iso(done_at_s) if done_at_s else None,
        "rejected_records": found.rejected,
        "rejected_because": [
            f"{why} ({count})" for why, count in reasons(settings.journal_directory).items()
        ],
        "importing": is_imported_by_another(settings.journal_directory),
    }


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
