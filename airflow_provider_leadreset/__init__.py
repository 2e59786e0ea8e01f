"""An Apache Airflow provider for LeadSquared's "Reset a Lead" call."""

__version__ = "0.1.0"
