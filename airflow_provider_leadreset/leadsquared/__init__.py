"""LeadSquared itself: requests, answers, pace and windows. Nothing here imports Airflow."""
