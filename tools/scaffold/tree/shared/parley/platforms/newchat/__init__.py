"""NewChat: HTTP callbacks in, its REST API out."""
