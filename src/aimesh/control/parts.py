"""What the admin API is made of: the parts that ``make_app`` is given, and how a handler gets at them.

1. Everything that reaches outside (database, clock, providers) comes in here, so a test can put its own in.
2. What a handler keeps between requests (slowed addresses, an identity provider's keys) lives in a part, not in
   a module.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

import aimesh
from aimesh.control.credential_test import Pace
from aimesh.control.models_catalog import Catalogs
from aimesh.control.oidc import IdentityProvider
from aimesh.control.passwords import Passwords
from aimesh.control.tasks_turns import FILES_AT_ONCE, Questions
from aimesh.control.throttle import Throttle
from aimesh.core.clock import Clock
from aimesh.settings import Settings
from aimesh.store.engine import Store
from aimesh.store.ledger import LedgerView
from aimesh.store.vault import Vault
from aimesh.telemetry.logs import Log

CONSOLE = Path(aimesh.__file__).parent / "console"
"""Where ``make console`` puts what it builds; part of the wheel."""


@dataclass(frozen=True, slots=True)
class Parts:
    store: Store
    settings: Settings
    clock: Clock
    vault: Vault | None = None
    """None: nothing that must be read back can be stored."""
    ledger: Callable[[], LedgerView] | None = None
    """Opens what is counted, anew for every answer. None: nobody counts, and what was used is unknown."""
    log: Log | None = None
    identity_provider: IdentityProvider | None = None
    """None: the one that the settings name, if they do."""
    passwords: Passwords = field(default_factory=Passwords)
    throttle: Throttle = field(default_factory=Throttle)
    catalogs: Catalogs = field(default_factory=Catalogs)
    pace: Pace = field(default_factory=Pace)
    console: Path = CONSOLE
    """Directory of the built web console."""
    questions: Questions = field(default_factory=Questions)
    files: Questions = field(default_factory=lambda: Questions(FILES_AT_ONCE))
    """Files of tasks on their way."""


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


Uses = Annotated[Parts, Depends(parts_of)]
"""Type of a handler's parameter that gets the parts."""
