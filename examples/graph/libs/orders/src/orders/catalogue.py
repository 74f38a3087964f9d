"""What is sold."""

from orders.prices import in_cents

CATALOGUE = {"tea": in_cents("4.20"), "cup": in_cents("9.00")}
