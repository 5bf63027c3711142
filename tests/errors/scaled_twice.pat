# length: 64
let first = columns([0]) with scale(0.5)
first + local(2) + full on pool(4, mean) with scale(2)
