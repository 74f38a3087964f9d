"""Small mathematics, in packages."""
