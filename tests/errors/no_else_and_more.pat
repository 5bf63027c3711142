heads 4
head < 2 -> strided(0)
head == 3 -> locl(4)
