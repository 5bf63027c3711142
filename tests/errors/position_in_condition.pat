heads 2
head < i -> full
n > 4 -> none
else -> full
