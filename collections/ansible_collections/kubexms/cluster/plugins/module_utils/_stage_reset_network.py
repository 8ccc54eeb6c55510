# SPDX-License-Identifier: GPL-3.0-or-later
"""What kubelet, kube-proxy, flannel and the CNI plugins leave in a host's network, and its removal.

Rules and tables of others stay. Parsers are pure and read the output of iptables-save and nft.
"""

from __future__ import annotations

import os
import re

from ansible_collections.kubexms.cluster.plugins.module_utils._files import read_text

SYS_NET = "/sys/class/net"
FLANNEL_SUBNET = "/run/flannel/subnet.env"
INTERFACES = ("cni0", "flannel.1")
_NFT_TABLES = ("kube-proxy", "flannel-ipv4", "flannel-ipv6", "cni_hostport")
_IPTABLES_TABLES = ("filter", "nat", "mangle", "raw", "security")
_FAMILIES = {"iptables": "ip", "ip6tables": "ip6"}
_CHAIN = r"(?:KUBE|FLANNEL|CNI-HOSTPORT|CNI-DN)-[\w-]+"
_OWN_CHAIN = re.compile(r"^:({0}) ".format(_CHAIN))
_FOREIGN_RULE = re.compile(r"^-A (?!{0} )(.* -[jg] {0}(?: .*)?)$".format(_CHAIN))


def present(client):
    """Return the names of interfaces, nftables tables and iptables chains that are there to remove."""
    found = ["interface " + name for name in INTERFACES if os.path.exists(os.path.join(SYS_NET, name))]
    found += ["nftables table {0} {1}".format(*table) for table in own_tables(_nft_tables(client))]
    for program in _programs(client):
        for table, lines in parse_save(_save(client, program)).items():
            found += ["{0} {1} chain {2}".format(program, table, chain) for chain in own_chains(lines)]
    return found


def clean(client):
    """Remove them, then iptables tables that are left empty, and the routes between Pod networks."""
    for name in INTERFACES:
        if os.path.exists(os.path.join(SYS_NET, name)):
            client.run(["ip", "link", "delete", name])
    for family, table in own_tables(_nft_tables(client)):
        client.run(["nft", "delete", "table", family, table])
    for program in _programs(client):
        script = removal_script(parse_save(_save(client, program)))
        if script:
            client.run([program + "-restore", "--noflush"], data=script)
        _drop_empty_tables(client, program)
    network = pod_network(read_text(FLANNEL_SUBNET) or "")
    if network:
        client.run(["ip", "-4", "route", "flush", "root", network])


def _drop_empty_tables(client, program):
    """An iptables that works through nftables leaves its tables behind, empty."""
    tables = parse_save(_save(client, program))
    existing = _nft_tables(client)
    for name in empty_tables(tables):
        if (_FAMILIES[program], name) in existing:
            client.run(["nft", "delete", "table", _FAMILIES[program], name])


def _programs(client):
    return [program for program in _FAMILIES if client.which(program + "-save")]


def _save(client, program):
    return client.run([program + "-save"]).stdout


def _nft_tables(client):
    if not client.which("nft"):
        return []
    return parse_tables(client.run(["nft", "list", "tables"]).stdout)


def parse_tables(text):
    """Return (family, name) of each table in the output of ``nft list tables``."""
    return [tuple(line.split()[1:3]) for line in text.splitlines() if line.startswith("table ")]


def own_tables(tables):
    """Return those tables that kube-proxy, flannel or a CNI plugin made."""
    return [table for table in tables if table[1] in _NFT_TABLES]


def parse_save(text):
    """Return table -> lines (chains ``:NAME POLICY``, rules ``-A``) of the output of iptables-save."""
    tables, lines = {}, []
    for line in text.splitlines():
        if line.startswith("*"):
            lines = tables.setdefault(line[1:].strip(), [])
        elif line.startswith((":", "-A ")):
            lines.append(line)
    return tables


def own_chains(lines):
    """Return the chains that Kubernetes, flannel or the port mapping plugin made."""
    return [found.group(1) for found in map(_OWN_CHAIN.match, lines) if found]


def removal_script(tables):
    """Return the input of ``iptables-restore --noflush`` that removes our chains and the ways into them."""
    parts = []
    for table, lines in tables.items():
        chains = own_chains(lines)
        rules = [found.group(1) for found in map(_FOREIGN_RULE.match, lines) if found]
        if chains:
            commands = ["-D " + rule for rule in rules]
            commands += ["-F " + chain for chain in chains] + ["-X " + chain for chain in chains]
            parts.append("\n".join(["*" + table, *commands, "COMMIT", ""]))
    return "".join(parts)


def empty_tables(tables):
    """Return the tables with no rule, no chain but the built-in ones, and no policy but ACCEPT."""
    return [
        table
        for table, lines in tables.items()
        if table in _IPTABLES_TABLES and all(re.match(r":[A-Z]+ ACCEPT ", line) for line in lines)
    ]


def pod_network(text):
    """Return the network in flannel's subnet.env (KEY=VALUE lines), an empty text when there is none."""
    found = re.search(r"^FLANNEL_NETWORK=(\S+)$", text, re.MULTILINE)
    return found.group(1) if found else ""
