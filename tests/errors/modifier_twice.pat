let biased = full with alibi
(biased + local(4) on memory(8)) with alibi
