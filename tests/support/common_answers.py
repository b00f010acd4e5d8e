"""Answers that several tests of kits use: a feature for each transport."""

from __future__ import annotations

SSE = {"bidirectional-realtime": False, "server-msg-rate-per-s": 0.2, "clients": ("browser",)}
CHAT = {"bidirectional-realtime": True, "page": "chat"}


LAMPS = {"latency-need-ms": 60_000, "poll-interval-s": 300, "server-msg-rate-per-s": 0.0001, "page": "lamps"}


BEDS = {"buffering-intermediary": True, "websockets-blocked": "always", "page": "beds"}
