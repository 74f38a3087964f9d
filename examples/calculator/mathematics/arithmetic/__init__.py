"""Operations on two numbers."""
