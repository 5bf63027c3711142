heads 2
head == 0 -> local(4)
full
