local(8) - nearest(4)
