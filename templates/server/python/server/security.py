"""Who may publish (a bearer token), which pages may read (Origin, tickets), which viewers may read (replace this)."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import time
from contextlib import suppress
from pathlib import Path

from server.wire import Headers, HttpError

COOKIE = "session"
TICKET_S = 30  # a ticket opens a WebSocket for this long
SHORTEST = 16  # characters of a secret
SECRET = re.compile(rf"[\x20-\x7e]{{{SHORTEST},}}")


class SecretError(Exception):
    """A secret that opens the server to everybody, or to no one; the text has the place and what to do."""


def secret(path: Path) -> str:
    """The secret in `path`; made at first start, readable by its owner only. It is never logged or printed.

    Raises SecretError for one that is there and too short to be one: with an empty one, an empty password would do.
    """
    if not path.exists():
        _make(path)
    try:
        found = path.read_bytes().decode("latin-1").strip()
    except OSError as error:
        raise SecretError(f"{path} cannot be read: {error.strerror}") from error
    if not SECRET.fullmatch(found):
        raise SecretError(
            f"{path} holds no secret: it must be one line of at least {SHORTEST} ASCII characters. Write one into it, or "
            "delete it and start again: then the server makes one"
        )
    return found


def _make(path: Path) -> None:
    """A new secret, all of it or none: nothing cuts it short, not even a power failure."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):  # of several instances that start at once, the first one's is taken, and whole
        os.link(draft, path)
    draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name is there as well
    finally:
        os.close(folder)


def same(given: str, wanted: str) -> bool:
    """Compare a secret in a time that does not tell how much of it was right."""
    return hmac.compare_digest(given.encode(), wanted.encode())


def check_bearer(headers: Headers, token: str) -> None:
    """Raise HttpError 401 unless the request carries `Authorization: Bearer <token>`."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not same(given.strip(), token):
        raise HttpError(401, "this needs the header Authorization: Bearer TOKEN", www_authenticate="Bearer")


def allowed_origin(headers: Headers, origins: tuple[str, ...]) -> str | None:
    """The Origin that may read this response across origins; None if there is nothing to allow. Raises HttpError 403.

    Compared whole: no prefix, suffix or upper case passes, "null" neither. With an allow-list only its entries pass;
    without one, the Origin must name the host that was asked. A request without an Origin is a GET of the page itself
    or not a browser's, so there is nothing to protect; a browser that says it comes from elsewhere is still refused.
    """
    origin = headers.get("origin")
    if origin is None:
        if headers.get("sec-fetch-site") == "cross-site":
            raise HttpError(403, "requests from other sites are refused")
        return None
    if origin in origins:
        return origin
    host = headers.get("host")
    if not origins and host and origin in (f"http://{host}", f"https://{host}"):
        return None
    raise HttpError(403, "this Origin is refused; settings.json lists those that are allowed")


def new_ticket(headers: Headers, viewer_key: str, now: float | None = None) -> str:
    """POST /ticket: opens /ws?ticket=... from the page of the same Origin, within TICKET_S. Raises HttpError 403.

    For pages that sign in with a header, which no browser sends with a WebSocket. It is signed and nothing is stored,
    so any instance with the same key and a right clock takes it. It can be used more than once while it lasts: keep
    addresses with their query out of logs (nginx.conf does).
    """
    origin = headers.get("origin")
    if origin is None:  # browsers always send it with a POST; others can send the header itself to /ws
        raise HttpError(403, "this needs the Origin of a page")
    expires = str(int(time.time() if now is None else now) + TICKET_S)
    return f"{expires}.{_signature(expires, origin, viewer_key)}"


def check_ticket(ticket: str, headers: Headers, viewer_key: str, now: float | None = None) -> None:
    """Raise HttpError 401 unless it is a valid ticket that has not expired, 403 if it is another Origin's."""
    expires, _, given = ticket.partition(".")
    if not same(given, _signature(expires, headers.get("origin", ""), viewer_key)):
        raise HttpError(403, "this is no ticket of this Origin")
    if int(expires) < (time.time() if now is None else now):  # digits: it is signed, so it was made above
        raise HttpError(401, "this ticket has expired; POST /ticket gives a new one")


def _signature(expires: str, origin: str, viewer_key: str) -> str:
    key = hmac.new(viewer_key.encode(), b"ticket", hashlib.sha256).digest()
    return hmac.new(key, f"{expires} {origin}".encode(), hashlib.sha256).hexdigest()


# --- Replace from here: who may read --------------------------------------------------------------------------
# A placeholder for your sign-in: everybody with var/viewer-key may read everything. Ask your session store instead.
# It is asked once, when a stream opens. A stream lives for hours: end it when the session ends (at sign-out, or after a
# lifetime). Every viewer sees every event; where that is wrong, keep one log for each group that may see the same.


def viewer_allowed(auth: str, headers: Headers, viewer_key: str) -> bool:
    """Whether this request's viewer may read the stream and the snapshot."""
    if auth == "cookie":
        return same(_cookie(headers), _cookie_value(viewer_key))
    if auth == "bearer-header":
        return same(headers.get("authorization", ""), f"Bearer {viewer_key}")
    return True


def viewer_mark(headers: Headers, viewer_key: str) -> str:
    """Tabs with the same mark may share one connection (client/shared-source.js): the same for one sign-in, no secret."""
    credentials = f"viewer {_cookie(headers)} {headers.get('authorization', '')}"
    return hmac.new(viewer_key.encode(), credentials.encode(), hashlib.sha256).hexdigest()[:32]


def viewer_of(headers: Headers, address: str) -> str:
    """Whose rate limit a message counts against: here the address that nginx saw. Use your user's id instead.

    Behind a load balancer a client can make up a part of this header, and so get a new limit for each message.
    """
    return headers.get("x-forwarded-for", address)[-100:]  # its end is what nginx wrote


def session_cookie(headers: Headers, given_key: str, viewer_key: str) -> str:
    """POST /session: the Set-Cookie value for a viewer who knows the key. Raises HttpError 401."""
    if not same(given_key, viewer_key):
        raise HttpError(401, "wrong key")
    secure = "; Secure" if headers.get("origin", "").startswith("https://") else ""
    # No script can read it; other sites' requests do not carry it.
    return f"{COOKIE}={_cookie_value(viewer_key)}; HttpOnly; SameSite=Strict; Path=/{secure}"


def _cookie(headers: Headers) -> str:
    cookies = dict(part.strip().partition("=")[::2] for part in headers.get("cookie", "").split(";"))
    return cookies.get(COOKIE, "")


def _cookie_value(viewer_key: str) -> str:
    return hmac.new(viewer_key.encode(), b"session", hashlib.sha256).hexdigest()
