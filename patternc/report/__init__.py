"""How people look at masks and facts: text for terminals, SVG for pages."""
