heads 4
let unused = 4
head < 2 -> columns([4:0])
head == 1 -> full
else -> mix(full)
