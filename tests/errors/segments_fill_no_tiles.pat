# teach: 4096
segment(100) + local(1)
