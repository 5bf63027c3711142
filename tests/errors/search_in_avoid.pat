nearest(2, name=near) + random(3, avoid=nearest(3))
