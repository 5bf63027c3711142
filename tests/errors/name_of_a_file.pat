first.pat
