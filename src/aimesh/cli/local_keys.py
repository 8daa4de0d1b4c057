"""Rotation of the master key on the local database.

1. Nothing is forgotten while anything is still under an old key.
2. Each step stands in the audit log, by the name of the account that ran it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from aimesh.cli.faults import Refused
from aimesh.cli.local import audit_local, open_parts
from aimesh.cli.output import Document
from aimesh.settings import Settings
from aimesh.store.database import StoreError
from aimesh.store.reseal import Resealed, reseal
from aimesh.store.vault import VaultError, add_file_key, forget_old_file_keys


def rotate(settings: Settings, *, resume: bool) -> Document:
    """Raises ``Refused``."""
    with _faults_are_refusals():
        if settings.master_key is None:
            if not resume:
                add_file_key(settings.home)
        elif "," not in settings.master_key.reveal():
            raise Refused("put the new key before the old one first: AIMESH_MASTER_KEY=new,old")
        done = _resealed(settings, "master_key.rotate")
        return _shown(done)


def forget(settings: Settings) -> Document:
    """Raises ``Refused``."""
    with _faults_are_refusals():
        if settings.master_key is not None:
            raise Refused("AIMESH_MASTER_KEY holds the keys: take the old ones out there")
        done = _resealed(settings, "master_key.forget")
        if not done.is_complete:
            raise Refused(
                "some secrets still need an old key, and nothing was forgotten", details=done.unreadable
            )
        return _shown(done) | {"forgotten": forget_old_file_keys(settings.home)}


def _resealed(settings: Settings, action: str) -> Resealed:
    store, vault = open_parts(settings)
    try:
        done = reseal(store, vault)
        audit_local(store, action, {"resealed": done.resealed, "unreadable": len(done.unreadable)})
        return done
    finally:
        store.close()


def _shown(done: Resealed) -> Document:
    return {"resealed": done.resealed, "current": done.current, "unreadable": list(done.unreadable)}


@contextmanager
def _faults_are_refusals() -> Iterator[None]:
    try:
        yield
    except (StoreError, VaultError) as error:
        raise Refused(str(error)) from error
