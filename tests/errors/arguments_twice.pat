local(left=4, left=8)
