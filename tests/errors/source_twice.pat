(full on memory(64)) on encoder
