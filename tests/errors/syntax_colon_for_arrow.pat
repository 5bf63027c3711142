heads 4
head < 2: local(4)
else: full
