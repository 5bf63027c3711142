gate((full + full on memory(8)) with bias(b), full with bias(b))
