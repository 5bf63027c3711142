(gate(full, local(4)) with alibi)
