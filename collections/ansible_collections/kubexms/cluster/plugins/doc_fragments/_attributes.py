# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every module of the collection supports and returns, written once."""

from __future__ import annotations


class ModuleDocFragment:
    """Standard: modules that compare, then act. ``info``: modules that only look."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check_mode and return what would change, without changing it.
    support: full
  diff_mode:
    description: Will return details on what has changed (or would change in check_mode) with C(--diff).
    support: full
  idempotent:
    description: When run twice without changes to the host in between, the second run changes nothing.
    support: full
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check_mode and return what would change, without changing it.
    support: full
    details: This module never changes anything.
  diff_mode:
    description: Will return details on what has changed (or would change in check_mode) with C(--diff).
    support: N/A
  idempotent:
    description: When run twice without changes to the host in between, the second run changes nothing.
    support: full
"""
