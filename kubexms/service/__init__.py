# SPDX-License-Identifier: GPL-3.0-or-later
"""The service room: the verbs. The only place that joins the other rooms, and owner of run states.

``prepare`` turns a cluster.yaml into everything a run needs on disk, ``probing`` and ``planning``
find out what is missing, ``runs`` starts, follows, cancels and recovers runs, ``access`` and
``queries`` answer questions. :class:`kubexms.service.service.Service` is their one door.
"""
