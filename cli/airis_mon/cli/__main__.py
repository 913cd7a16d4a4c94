"""`python -m airis_mon.cli`: how the stack runs our own processes."""

import sys

from airis_mon.cli.main import main

sys.exit(main())
