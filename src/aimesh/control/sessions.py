"""Signing in and out with a password, and who one is.

1. A refused sign-in never says whether the name, the password, a lock or a disabled account was the reason, and takes
   as long whichever it was: a hash is checked and a line is written every time.
2. Wrong passwords in a row lock the account, also those given to change it; wrong attempts from one address make that
   address wait.
3. Changing the password ends every session of the person and begins a new one.
"""

from fastapi import Request, Response

from aimesh.control.audit import SECRET, Target, audited
from aimesh.control.errors import Conflict, Forbidden, Unauthenticated
from aimesh.control.identity import Caller, Signed, refuse_foreign_origin
from aimesh.control.noun import Noun
from aimesh.control.parts import Parts, Uses
from aimesh.control.passwords import check_password
from aimesh.control.schemas_people import PasswordChange, SessionAnswer, SignIn
from aimesh.control.signing import (
    begin_session,
    drop_cookie,
    is_able,
    note_guess,
    set_cookie,
    shown_session,
    slow_down,
    target_of,
)
from aimesh.control.source import source_of
from aimesh.control.texts import secret
from aimesh.core.ids import TenantId
from aimesh.core.secret import Secret
from aimesh.store.engine import Connection
from aimesh.store.sessions import end_session, end_sessions_of
from aimesh.store.users import (
    User,
    find_by_username,
    find_user,
    note_failure,
    password_hash,
    set_password_hash,
)

NOUN = Noun("session", "Signing in and out; who one is and what one may do.")


@NOUN.post("/session", "sign_in", errors=(401, 403, 429))
def sign_in(body: SignIn, request: Request, response: Response, parts: Uses) -> SessionAnswer:
    """Signs in with a password. The answer sets the session's cookie."""
    refuse_foreign_origin(request, parts.settings)
    slow_down(request, parts)
    given = secret(body.password)
    with parts.store.read() as db:
        user = find_by_username(db, body.username)
        kept = password_hash(db, user.id) if user is not None else None
    is_right = parts.passwords.is_right(given, kept)
    fresh = (
        parts.passwords.hash(given)
        if is_right and kept is not None and parts.passwords.is_stale(kept)
        else None
    )
    with parts.store.write() as db:
        able = _able(db, parts, user, kept) if is_right else None
        if able is None:
            _note_refusal(db, request, user)
        else:
            if fresh is not None:
                set_password_hash(db, able.id, fresh)
            text, caller = begin_session(db, request, able, "password")
            answer = shown_session(db, caller)
    if able is None:
        note_guess(request, parts)
        raise _refused(parts)
    # As they were before this sign-in.
    parts.throttle.succeeded(caller.source.ip, able.failed_logins)
    set_cookie(response, request, text)
    return answer


def _able(db: Connection, parts: Parts, user: User | None, kept: Secret[str] | None) -> User | None:
    """The person as of now, if nothing stands against signing in with the password that was checked."""
    now = find_user(db, user.id) if user is not None else None
    if now is None or not is_able(db, now, parts.clock.wall_s()):
        return None
    return now if password_hash(db, now.id) == kept else None


def _note_refusal(db: Connection, request: Request, user: User | None) -> None:
    parts: Parts = request.app.state.parts
    source = source_of(request)
    if user is None:
        # What was typed may be a password in the wrong field: it is not written down.
        audited(db, source, "session.refuse", Target("user", "", "", TenantId("")), {})
        return
    audited(db, source, "session.refuse", target_of(user), {})
    if (now := find_user(db, user.id)) is not None:
        _count_failure(db, parts, now, request)


def _count_failure(db: Connection, parts: Parts, user: User, request: Request) -> None:
    admin = parts.settings.admin
    source = source_of(request)
    if user.locked_until_s is not None and user.locked_until_s > source.at_s:
        return
    until_s = source.at_s + admin.lock_minutes * 60
    if note_failure(db, user.id, lock_after=admin.lock_after, locked_until_s=until_s):
        audited(db, source, "user.lock", target_of(user), {"minutes": admin.lock_minutes})


def _refused(parts: Parts) -> Unauthenticated:
    admin = parts.settings.admin
    return Unauthenticated(
        "SIGN_IN_REFUSED",
        "the name or the password is wrong, or the account cannot be used now "
        f"({admin.lock_after} wrong passwords in a row lock it for {admin.lock_minutes:g} minutes)",
    )


@NOUN.get("/session", "get_session")
def get_session(parts: Uses, caller: Signed) -> SessionAnswer:
    """Who is asking, what this caller may do, and the token for `x-csrf-token`."""
    with parts.store.read() as db:
        return shown_session(db, caller)


@NOUN.delete("/session", "sign_out", errors=(409,), status=204)
def sign_out(parts: Uses, caller: Signed, response: Response) -> None:
    """Signs out: the session ends here and in the database."""
    if caller.session is None:
        raise Conflict("NO_SESSION", "a token has no session to end; remove the token instead")
    with parts.store.write() as db:
        end_session(db, caller.session.sha256)
        audited(db, caller, "session.end", Target("user", caller.user_id, caller.name, caller.tenant), {})
    drop_cookie(response)


@NOUN.put("/session/password", "change_password", errors=(409, 429))
def change_password(
    body: PasswordChange, request: Request, response: Response, parts: Uses, caller: Signed
) -> SessionAnswer:
    """Changes one's own password. All sessions end; the answer sets a new one's cookie."""
    if caller.session is None:
        raise Conflict("NO_SESSION", "a password is changed by its person, signed in")
    slow_down(request, parts)
    with parts.store.read() as db:
        kept = password_hash(db, caller.user_id)
        person = find_user(db, caller.user_id)
        is_open = person is not None and is_able(db, person, parts.clock.wall_s())
    if kept is None:
        raise Conflict(
            "NO_PASSWORD", "this account has no password; an administrator can make a password link"
        )
    # Who has only got hold of a session guesses no more often than somebody who signs in.
    if not parts.passwords.is_right(secret(body.current_password), kept) or not is_open:
        _note_wrong(parts, caller, request)
        raise Forbidden("WRONG_PASSWORD", "the current password is wrong")
    check_password(secret(body.new_password), caller.name, field="new_password")
    fresh = parts.passwords.hash(secret(body.new_password))
    with parts.store.write() as db:
        user = find_user(db, caller.user_id)
        if user is None or password_hash(db, caller.user_id) != kept:
            raise Conflict("PASSWORD_CHANGED", "the password was changed in the meantime; sign in again")
        set_password_hash(db, user.id, fresh)
        end_sessions_of(db, user.id)
        audited(db, caller, "user.password", target_of(user), {"password": SECRET})
        text, renewed = begin_session(db, request, user, "password")
        answer = shown_session(db, renewed)
    set_cookie(response, request, text)
    return answer


def _note_wrong(parts: Parts, caller: Caller, request: Request) -> None:
    note_guess(request, parts)
    with parts.store.write() as db:
        user = find_user(db, caller.user_id)
        if user is not None:
            _count_failure(db, parts, user, request)
