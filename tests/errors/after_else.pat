heads 2
head == 0 -> local(4)
else -> full
head == 1 -> none
