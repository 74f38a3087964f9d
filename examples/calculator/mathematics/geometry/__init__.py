"""Shapes and what they measure."""
