(local(4) + full on pool(4, mean) + full on stream(g, 2)) with alibi(position=pos)
rows g
full with t5(8, 32, position=pos)
