heads 2
let held = full on memory(4 + head) with relative(8) + local(1) with relative(4)
gate(held, mean(full, none), gate(full, none, name=gate_), name=g)
