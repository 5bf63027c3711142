where(i < 4 && j < 4)
