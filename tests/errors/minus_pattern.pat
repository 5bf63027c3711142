local(8) + -local(2)
