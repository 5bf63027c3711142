local(4) # a bell
