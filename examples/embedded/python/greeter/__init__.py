"""Greets in many languages."""
