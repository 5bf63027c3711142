# DA-Transformer: scores weighed by a learned function of the distance
# paper:   Wu et al. 2021, DA-Transformer: Distance-aware Transformer
# config:  any number of heads; two learned numbers a head, `distance_alpha` and `distance_beta`
# length:  512
# equals:  the paper's re-scaled scores, relu(s) times a learned sigmoid of the distance

full with distance_aware
