# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: one file per verb, a client of the service and of nothing below it.

Start-up time is a feature: modules here import typer and the error tree at the top, everything else
inside the functions that need it.
"""
