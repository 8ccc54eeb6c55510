# SPDX-License-Identifier: GPL-3.0-or-later
"""etcd's members, over the JSON gateway of etcd v3 with the health check's client certificate.

Source: etcd's api/etcdserverpb/rpc.proto (Cluster service); numbers of 64 bits are texts in JSON.
"""

from __future__ import annotations

import ssl
from typing import NamedTuple

from ansible_collections.kubexms.cluster.plugins.module_utils import _kube_paths as paths
from ansible_collections.kubexms.cluster.plugins.module_utils._kube_api import Api, ApiError

LOCAL = "https://127.0.0.1:2379"


class Member(NamedTuple):
    """One member: ``started`` is false until it has joined, ``learner`` while it cannot vote."""

    identity: str
    name: str
    started: bool
    learner: bool
    peer_urls: tuple
    client_urls: tuple


def etcd_api(server=LOCAL):
    """Return etcd at ``server`` with this host's certificate (made by kubeadm on control-plane hosts)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=paths.ETCD_CA)
    context.load_cert_chain(paths.ETCD_CLIENT_CERTIFICATE, paths.ETCD_CLIENT_KEY)
    return Api(server, context, seconds=5)


def parse_members(answer):
    """Return the Members in an answer of member/list."""
    return [
        Member(
            identity=member["ID"],
            name=member.get("name", ""),
            started=bool(member.get("name")),
            learner=bool(member.get("isLearner")),
            peer_urls=tuple(member.get("peerURLs", ())),
            client_urls=tuple(member.get("clientURLs", ())),
        )
        for member in answer.get("members", [])
    ]


def members(api):
    """Return all Members that etcd knows."""
    return parse_members(api.request("POST", "/v3/cluster/member/list", {}))


def remove_member(servers, address):
    """Remove the member whose peer address is ``address``, through the first of ``servers`` that does it.

    Returns whether there was one. Raises ApiError of the last server when none answers.
    """
    failure = ApiError("no etcd member is known to ask", hint="is the cluster's first control plane healthy?")
    host = "[{0}]".format(address) if ":" in address else address
    for server in servers:
        try:
            return _remove(etcd_api(server), "//{0}:".format(host))
        except ApiError as error:  # noqa: PERF203 - the next server is asked because this one failed
            failure = error
    raise failure


def _remove(api, part):
    found = [one for one in members(api) if any(part in url for url in one.peer_urls)]
    for member in found:
        api.request("POST", "/v3/cluster/member/remove", {"ID": member.identity})
    return bool(found)
