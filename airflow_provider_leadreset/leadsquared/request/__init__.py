"""What is asked for: which lead, which records, in which window."""
