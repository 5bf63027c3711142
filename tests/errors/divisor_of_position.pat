where(i % j == 0 or 2 ** i == j or i ** 2 == j)
