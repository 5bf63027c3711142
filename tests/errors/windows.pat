(windows([8, 8], size=[4]) + windows([8], size=[4], shift=[4]) + windows([8], shift=[1])
 + windows([8], size=[4], dilation=[3], edge=wrap) + windows([8], size=[9], shift=[1], edge=roll)
 + windows([8], size=[4], shift=[-1]) + windows([8], size=[4], edge=shift))
