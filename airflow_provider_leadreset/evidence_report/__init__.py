"""The report that an auditor reads: what was deleted, made from the evidence folder alone."""
