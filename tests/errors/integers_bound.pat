let width = 3
where(width[i] < 3)
