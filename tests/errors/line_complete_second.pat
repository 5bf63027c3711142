local(256)
global([0])
