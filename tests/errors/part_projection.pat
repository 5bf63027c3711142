within(2:) { rows([0], projection=own) } + columns([0])
