memory(4) + full with encoder
