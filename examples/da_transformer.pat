# DA-Transformer: scores weighed by a learned function of the distance
# paper:   Wu et al. 2021, DA-Transformer: Distance-aware Transformer
# config:  any number of heads; two learned numbers a head, `distance_alpha` and `distance_beta`
# length:  512
# equals:  the paper's equations 3 to 5; no code was released

full with distance_aware
