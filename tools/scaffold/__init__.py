"""`make platform NAME=x`: the files of a new platform. They work at once, for an invented protocol.

`tree/` holds the files, under the paths that they get. `newchat`, `Newchat` and `NewChat` stand for the name, the
logical id and the label of the platform. tests/integration/test_scaffold.py checks them in a copy of the repository.
"""
