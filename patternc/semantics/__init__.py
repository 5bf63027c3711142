"""The dense meaning of a term: the specification that every other package is tested against."""
