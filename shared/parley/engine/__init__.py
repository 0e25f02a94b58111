"""The engine: all I/O of Parley. It serves every platform and names none."""
