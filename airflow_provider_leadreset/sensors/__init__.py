"""Sensor: verifies that what was reset is gone."""
