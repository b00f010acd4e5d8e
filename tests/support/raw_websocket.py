"""A WebSocket over a bare TCP connection: what a well-behaved client could not send, and how it ends."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket as sockets
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from support.peer_clients import address


def closed_with(socket, seconds=5):
    """The close code that the server gives."""
    with pytest.raises(ConnectionClosed) as closing:  # noqa: PT012 - what was sent before may still come
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            socket.recv(timeout=seconds)
    return closing.value.rcvd.code if closing.value.rcvd else None


def refused(url, **headers):
    """The status of a handshake that is not accepted."""
    with pytest.raises(InvalidStatus) as refusal, connect(address(url), additional_headers=headers, proxy=None):
        pass
    return refusal.value.response.status_code


def message(key, data, feature="order-status"):
    return json.dumps({"type": "send", "feature": feature, "data": data, "key": key})


def raw(kit, headers=b"", rest=b""):
    """A TCP connection with a handshake, as no library would make it."""
    connection = sockets.create_connection(("127.0.0.1", kit.port), timeout=5)
    key = base64.b64encode(os.urandom(16))
    connection.sendall(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: " + key + b"\r\n" + headers + b"\r\n" + rest
    )
    return connection


def rest_of(connection):
    """Everything until the server closes."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            found += piece
    return found
