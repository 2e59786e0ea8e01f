"""Reading: pages of rows, records of a lead, lists and types of an account."""
