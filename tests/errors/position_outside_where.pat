let far = i // 2
local(i) + local(far)
