let far = random(3)
~(local(1) + far)
