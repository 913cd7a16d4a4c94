"""One module per command of `airis-mon`, each with `run(argv, cache) -> exit code`.

Belongs here: arguments, messages, exit codes. Must not be here: the work itself, which lies beside this
package or upstream, so that another program can do it without a command line.
"""
