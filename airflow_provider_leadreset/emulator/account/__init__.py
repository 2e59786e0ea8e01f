"""What stands around the CRM: keys, the call limit, faults to come, the log of calls."""
