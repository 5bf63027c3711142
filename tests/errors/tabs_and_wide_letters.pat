	local(4) +	locl(4)  # 窓
