columns((0, 1))
