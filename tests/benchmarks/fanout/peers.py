"""The peers, as their documentation shows them: sse-starlette with a queue a client, FastAPI with a loop over all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from sse_starlette import EventSourceResponse

app = FastAPI()
queues: set[asyncio.Queue[str]] = set()
sockets: set[WebSocket] = set()


@app.get("/events")
async def events() -> EventSourceResponse:
    """One client's stream."""
    queue: asyncio.Queue[str] = asyncio.Queue()
    queues.add(queue)

    async def feed() -> AsyncIterator[dict[str, Any]]:
        try:
            while True:
                yield {"event": "news", "data": await queue.get()}
        finally:
            queues.discard(queue)

    return EventSourceResponse(feed(), headers={"X-Accel-Buffering": "no"})


@app.websocket("/ws")
async def socket(websocket: WebSocket) -> None:
    """One client's socket."""
    await websocket.accept()
    sockets.add(websocket)
    try:
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        sockets.discard(websocket)


@app.post("/publish")
async def publish(request: Request) -> dict[str, str]:
    """One event to all."""
    text = (await request.body()).decode()
    for queue in queues:
        queue.put_nowait(text)
    for websocket in list(sockets):
        await websocket.send_text(text)
    return {}
