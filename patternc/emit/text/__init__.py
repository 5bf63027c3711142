"""Formulas and data to Python text."""
