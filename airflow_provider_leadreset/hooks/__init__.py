"""Hook: an Airflow connection becomes a LeadSquared client."""
