"""One call: its connection, its turn, what its response means."""
