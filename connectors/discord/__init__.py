"""The connection to Discord's Gateway, over which Discord sends the messages that people write.

`python -m connectors.discord APP...` holds it for the apps with these names. Slash commands, buttons and forms still
come over HTTP. Of several running instances one is active for each shard of an app: the one that has its lease.

| module | contents |
|---|---|
| `session` | the protocol as a state machine, without clock, socket and AWS |
| `closing` | the codes with which Discord closes a connection |
| `frames` | the frames that are sent |
| `socket` | the WebSocket, and the loop that drives the state machine |
| `api` | the calls of Discord's API that a session needs |
| `lease` | the row that says which instance is active |
| `intake` | events as messages in the inbound queue |
| `shard` | one shard: lease, session and intake together |
"""
