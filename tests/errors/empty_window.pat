local(left=1, right=-2) + local(-1) + segment(4, back=-1)
