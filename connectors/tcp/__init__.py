"""The connections of clients of the HTTP channel by TCP: devices and services that keep a connection open.

`python -m connectors.tcp [APP...]` accepts them for the apps with these names, or for all. Any number of instances may
run, and a client may connect to each of them.

| module | contents |
|---|---|
| `framing` | frames in a stream of bytes |
| `session` | one connection as a state machine, without clock, socket and AWS |
| `limits` | what a client may use, alone and with all others |
| `tls` | TLS as a function of bytes |
| `connection` | the socket that drives the state machine |
| `feeds` | the replies of the conversations that clients have open |
| `service` | what a session needs of the engine: tokens, messages, mailboxes |
| `notices` | the queue by which deliverers say that there is a reply |
| `server` | one instance: its connections and its end |
"""
