local 4
