mix(gate(full, none), full)
