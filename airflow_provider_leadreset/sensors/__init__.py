"""Sensor: verifies that the API no longer gives what was reset."""
