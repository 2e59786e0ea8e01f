"""Sensor: proves that what was reset is gone."""
