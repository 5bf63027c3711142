local(64) - columns(padding) & ~listed(plan)
