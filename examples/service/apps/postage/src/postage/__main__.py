"""`python -m postage`."""

import sys

from postage.cli import main

sys.exit(main())
