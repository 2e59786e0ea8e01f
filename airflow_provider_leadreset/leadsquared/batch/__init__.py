"""Many calls: workers, the resets of a batch, how far it has come."""
