"""How many messages each viewer may send: a token bucket for each, and a bound on how many buckets there are."""

from __future__ import annotations

import time

from server.wire import HttpError

PER_S = 10.0  # messages a second in the long run
BURST = 20.0  # at once, after a pause
BUCKETS = 10_000  # viewers that are remembered; the one that was quiet for the longest is forgotten


class Rate:
    """The buckets by viewer, the quietest first."""

    def __init__(self, per_s: float = PER_S, burst: float = BURST, buckets: int = BUCKETS) -> None:
        self._per_s = per_s
        self._burst = burst
        self._most = buckets
        self._buckets: dict[str, tuple[float, float]] = {}  # (tokens, when they were counted)

    def take(self, viewer: str, now: float | None = None) -> None:
        """Count one message (`now` in seconds). Raises HttpError 429 if it is one too many."""
        now = time.monotonic() if now is None else now
        tokens, then = self._buckets.pop(viewer, (self._burst, now))
        tokens = min(self._burst, tokens + (now - then) * self._per_s)
        allowed = tokens >= 1
        self._buckets[viewer] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > self._most:
            del self._buckets[next(iter(self._buckets))]
        if not allowed:
            raise HttpError(429, f"at most {self._per_s:g} messages a second", retry_after="1")
