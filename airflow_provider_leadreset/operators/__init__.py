"""Operators that reset leads."""
