heads 2
nearest(3) & local(4) + nearest(3) - local(4)
