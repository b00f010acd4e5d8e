"""The event server: Server-Sent Events from a durable log, over plain ASGI. Start it with `python -m server`."""
