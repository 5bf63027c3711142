"""What can be evaluated of a program without compiling it."""
