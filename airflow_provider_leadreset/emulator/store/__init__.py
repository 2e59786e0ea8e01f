"""The CRM: leads with their records, users and types, and resets carried out a moment later."""
