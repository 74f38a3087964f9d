"""Counts words, in Rust where it is built and in Python where it is not."""

from words.native import count

__all__ = ["count"]
