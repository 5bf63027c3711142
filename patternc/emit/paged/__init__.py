"""The paged backend: one kernel that serves packed queries over a paged cache."""
