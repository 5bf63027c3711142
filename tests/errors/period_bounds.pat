columns(period(8, 6:9)) + columns(period(8, 4:4)) + columns(period(0, 0:1))
