columns([0:64:4])
