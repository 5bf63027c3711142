(neighborhood([8, 8], radius=[1]) + neighborhood([], radius=[])
 + neighborhood([8], radius=[1], stride=[4]) + neighborhood([8], radius=[1], causal=[2])
 + neighborhood([8], right=[1], causal=[0]) + neighborhood([8], radius=[-1]))
