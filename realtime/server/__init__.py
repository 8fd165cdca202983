"""The production server: uvicorn with protocol classes of ours.

`door.Door` looks at the first bytes of a connection, and makes it one of two. `http.HttpProtocol` bounds what
may arrive before a request is complete, in bytes and in time; uvicorn by itself reads headers of any size for
ever. `websocket.WebSocketProtocol` holds WebSocket connections:
`handshake` and `connection` are the protocol without any I/O, `application` is ASGI. Besides the standard
events it offers the application itself, in ``scope["extensions"]["foyer.frames"]`` (the interface is
`realtime.outlet.FrameTransport`): finished frames go out without a queue, a task or an encoding for each
client, and a consumer that is driven by callback needs no task while nothing happens. Applications that do
not know the extension use the standard events, and consumers that do run without it on any ASGI server.
"""
