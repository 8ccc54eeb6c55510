# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugins that run inside ansible-playbook."""
