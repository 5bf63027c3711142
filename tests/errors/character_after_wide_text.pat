same(窓)
