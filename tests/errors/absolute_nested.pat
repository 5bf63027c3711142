where(abs(abs(abs(abs(abs(abs(abs(i - j) - j) - j) - j) - j) - j) - j) < 3)
