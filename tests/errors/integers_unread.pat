where(tin <= 3) + where(i - j < tout(j))
