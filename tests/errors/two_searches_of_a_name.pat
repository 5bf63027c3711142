nearest(4, name=a) + nearest(8, name=a)
