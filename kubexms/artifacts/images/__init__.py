# SPDX-License-Identifier: GPL-3.0-or-later
"""Container images assembled from cached binaries, without a registry and without a container engine."""
