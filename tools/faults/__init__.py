"""The faults suite: the real handlers, one step at a time, in a world that can break at every call."""
