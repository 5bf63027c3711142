heads 2
head == 0 -> local(4)
head == 1 -> full
