"""The dense meaning of a term: the specification that every other room is tested against."""
