heads 2
head -> full
else -> none
