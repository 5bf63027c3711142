sink(4) + full
