local(4) +
global([0])
