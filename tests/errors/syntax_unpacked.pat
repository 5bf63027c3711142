mix(*[local(1)])
