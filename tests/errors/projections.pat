let cls = [0]
(global(cls, projection=g) + blocks(4) { rows(period(8, 2:3), projection=h) } + rows([8:16], projection=x)
 + rows(question, projection=m) + global(question, projection=o))
