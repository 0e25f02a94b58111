"""Tools of developers: the local stack, the demo, measurements."""
