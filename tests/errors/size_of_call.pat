heads 2
size prefix
size size
let twice = 2 * prefix
head < prefix -> segment(prefix)
head == 1 -> where(i * prefix < 4 and j // prefix == 0)
else -> columns(prefix) + random(2, pool=:twice) + strided(size)
