"""One file for each family of calls."""
