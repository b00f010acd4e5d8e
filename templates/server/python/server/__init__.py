"""The event server: one durable log over SSE, WebSocket and polling, as plain ASGI. Start: `python -m server`."""
