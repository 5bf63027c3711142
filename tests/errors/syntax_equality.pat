heads 4
head = 3 -> full
else -> none
