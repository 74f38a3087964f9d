"""What is sold, and what is bought."""
