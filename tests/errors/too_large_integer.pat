columns([2 ** 63]) + where(j < 2 ** 64 + i) + local(2 ** 10 ** 10)
