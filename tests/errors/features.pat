heads 8
head == 0 -> features(64, map=favor) + local(4)
head == 1 -> mix(features(64, map=favor), local(4))
head == 2 -> gate(features(64, map=favor, gate=g), local(4))
head == 3 -> features(63, map=rfa)
head == 4 -> features(64, map=elu)
head == 5 -> features(map=rfa)
head == 6 -> features(64, map=favor, seed=1, matrix=w)
else -> full + full on stream(notes, 4)
rows notes
features(64, map=favor)
