# SPDX-License-Identifier: GPL-3.0-or-later
"""metadata: the cluster's name."""

from pydantic import Field

from kubexms.cluster.base import Section
from kubexms.cluster.types import DnsLabel, Labels


class Metadata(Section):
    """Who the cluster is."""

    name: DnsLabel
    """Name of the cluster. It is written to every host and cannot change afterwards."""
    labels: Labels = Field(default_factory=dict)
    """Labels of the cluster for the controller's lists; they are not given to nodes."""
