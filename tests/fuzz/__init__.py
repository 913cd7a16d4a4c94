"""Coverage-guided fuzzing of every decoder that reads what others wrote, with atheris.

Here belong the targets, one for each decoder with the errors that it documents (`targets`), and
`python -m tests.fuzz`. Any other error is a crash. Not here: properties of good input, which hypothesis tests
beside each decoder.
"""
