causal
features(8, map=rfa, gate=g, same=doc)
