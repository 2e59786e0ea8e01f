"""The account of deletions that an auditor reads, made from the evidence folder alone."""
