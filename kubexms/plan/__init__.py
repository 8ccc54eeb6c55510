# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan room: what each host still needs, decided in Python without any I/O.

``stages`` is the literal list of stages, ``observation`` what the probe found, ``refusals`` the
reasons not to touch anything, ``planner`` the difference between wanted and found as steps, and
``segments`` their order: which steps wait for which, and which run beside each other.
"""
