same("document")
