"""The account check: what LeadSquared leaves undocumented, asked of the user's own account with a throw-away lead."""
