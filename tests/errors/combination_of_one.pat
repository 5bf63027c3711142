sum(mean(full), mix(local(4)))
