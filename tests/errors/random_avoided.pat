random(3, avoid=local(1) + random(2))
