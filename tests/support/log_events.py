"""Events for a log."""

from __future__ import annotations

import json

from server.events import NewEvent


def new(count, start=0):
    return [NewEvent("order-status", json.dumps(start + number)) for number in range(count)]
