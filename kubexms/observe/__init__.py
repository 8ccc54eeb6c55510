# SPDX-License-Identifier: GPL-3.0-or-later
"""What the outside sees of a running program: its log. Subscribers only, nobody is called from here.

Nothing is imported here: structlog costs a fifth of a second, which ``kubexms --help`` does not have.
"""
