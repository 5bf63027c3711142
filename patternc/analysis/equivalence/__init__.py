"""Whether two programs mean the same, and counterexamples where they do not."""
