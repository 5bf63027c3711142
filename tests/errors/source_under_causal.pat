let past = causal
(full & past) on project(8) + (local(4) + full on stream(g, 8)) & past
