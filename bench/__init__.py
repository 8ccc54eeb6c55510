# SPDX-License-Identifier: GPL-3.0-or-later
"""``make bench``: how long installs take beside a plain shell script, and whether the budgets hold.

Run as ``python -m bench``. Works through the command line like any user, on labs of its own.
"""


class BenchFailed(Exception):
    """What was to be measured did not happen, so there is no figure."""
