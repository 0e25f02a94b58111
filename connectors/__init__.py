"""Programs that hold a connection to a platform. They run beside the functions, in containers, and fill their queue."""
