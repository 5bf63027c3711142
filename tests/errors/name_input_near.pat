let tokens = [0, 1]
global(token) + columns(tokens)
