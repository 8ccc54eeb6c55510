# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts with a shape. Each type is a pattern and the words that explain it to the user.

Patterns are those of the things they name: RFC 1123 for names, the Kubernetes API for labels and
taints, Debian policy 5.6.7 for packages. All are anchored, and run in linear time.
"""

import os
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from kubexms.cluster.base import refused
from kubexms.cluster.ranges import length
from kubexms.cluster.versions import normalise_version

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_PART = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = rf"{_PART}(\.{_PART})*"
_QUALIFIED = rf"({_LABEL}(\.{_LABEL})*/)?[A-Za-z0-9]([A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?"
_PORT = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_RANGE = r"\[[0-9]+:[0-9]+\]"

DNS_LABEL = rf"^{_LABEL}$"
DNS_NAME = rf"^{_LABEL}(\.{_LABEL})*$"
HOST_PATTERN = rf"^([a-z0-9]|{_RANGE})[a-z0-9.-]*({_RANGE})?[a-z0-9.-]*$"
ADDRESS = rf"^{_NAME}$|^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$"
CIDR = r"^[0-9A-Fa-f.:]+/[0-9]{1,3}(,[0-9A-Fa-f.:]+/[0-9]{1,3})?$"
USER = r"^[a-z_][a-z0-9_-]{0,31}$"
FILE_PATH = r"""^(~/)?[^-\s~"'`$%\\{}\x00-\x1f\x7f][^"'`$%\\{}\x00-\x1f\x7f]*$"""
ABSOLUTE_PATH = r"^(/[A-Za-z0-9._@+-]+)+$"
HOST_KEY = r"^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]{40,}={0,3}$"
QUALIFIED_NAME = rf"^{_QUALIFIED}$"
LABEL_VALUE = r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$"
SYSCTL = r"^[a-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+$"
SYSCTL_VALUE = r"^[A-Za-z0-9._/|%+-][A-Za-z0-9._/|%+\t -]*$"
MODULE = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,55}$"
PACKAGE = r"^[a-z0-9][a-z0-9+.-]+$"
VERSION = r"^v?[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$"
CAMEL = r"^[a-z][A-Za-z0-9]{0,63}$"
FEATURE_GATE = r"^[A-Z][A-Za-z0-9]{0,99}$"
FLAG = r"^[a-z][a-z0-9-]{0,63}$"
FLAG_VALUE = r"""^[^\x00-\x20\x7f"'`$\\]*$"""
LINE = r"^[^\x00-\x1f\x7f]*$"
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
URL = rf"^https?://{_NAME}(:{_PORT})?(/[A-Za-z0-9._~/+-]*)?$"
REGISTRY = rf"^({_NAME}(:{_PORT})?|_default)$"
QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi|%)?$"
DURATION = r"^([0-9]+(h|m|s|ms))+$"
PERCENT = r"^([1-9][0-9]?|100)%$"
PREFLIGHT = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$"
RESOURCE = r"^[a-z][A-Za-z0-9./-]{0,99}$"
CHECK = r"^[a-z]+(-[a-z0-9]+)*$"
VAULT = r"^[A-Za-z0-9][A-Za-z0-9._/#-]*$"
ETCD_ENDPOINT = rf"^https://{_NAME}:{_PORT}$"
TIMEZONE = r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$"

ALLOWED: dict[str, str] = {
    DNS_LABEL: "lower-case letters, digits and '-', at most 63, beginning and ending with a letter or digit",
    DNS_NAME: "a DNS-1123 name: lower-case letters, digits, '-' and '.', such as node1 or node1.example.com",
    HOST_PATTERN: "a host name, or a range such as node[1:3] for node1, node2, node3",
    ADDRESS: "an IPv4 address or a DNS name",
    CIDR: "a network in CIDR form, such as 10.244.0.0/16",
    USER: "a user name of lower-case letters, digits, '_' and '-', at most 32",
    FILE_PATH: "a path without quotes, '$', '%', '\\' and braces that does not begin with '-'",
    ABSOLUTE_PATH: "an absolute path of letters, digits and . _ @ + -",
    HOST_KEY: "a public key as in known_hosts without the host, such as 'ssh-ed25519 AAAA...'",
    QUALIFIED_NAME: "a Kubernetes key such as zone or example.com/zone, at most 63 characters after '/'",
    LABEL_VALUE: "at most 63 letters, digits, '-', '_' and '.', a letter or digit first and last, or nothing",
    SYSCTL: "a sysctl key such as net.ipv4.ip_forward",
    SYSCTL_VALUE: "one line of letters, digits, spaces and . _ / | % + -",
    MODULE: "a kernel module name such as br_netfilter",
    PACKAGE: "a package name such as nfs-common",
    VERSION: "a version such as v1.36.3",
    CAMEL: "a field name in camelCase, such as maxPods",
    FEATURE_GATE: "a feature gate's name, such as InPlacePodVerticalScaling",
    FLAG: "the name of a command line flag without leading dashes, such as audit-log-maxage",
    FLAG_VALUE: "text without white space, quotes, '$' and '\\'",
    LINE: "one line without control characters",
    VARIABLE: "the name of an environment variable",
    URL: "an http:// or https:// URL without user, password, query or fragment",
    REGISTRY: "a registry's host and optional port, such as docker.io or registry.example.com:5000",
    QUANTITY: "a Kubernetes quantity such as 500m, 1Gi or 10%",
    DURATION: "a duration such as 8760h or 90m",
    PERCENT: "a whole number, or a percentage from 1% to 100%",
    PREFLIGHT: "the name of a kubeadm preflight check, such as NumCPU",
    RESOURCE: "the name of a resource or signal, such as memory or memory.available",
    CHECK: "the name of a check of kubexms",
    VAULT: "the path of a secret, such as secret/registry#password",
    ETCD_ENDPOINT: "a URL such as https://10.0.0.9:2379",
    TIMEZONE: "a time zone such as Europe/Vienna or UTC",
}
"""What each pattern allows, in words."""


def _range(pattern: str) -> str:
    try:
        length(pattern)
    except ValueError as error:
        raise refused(str(error), ALLOWED[HOST_PATTERN]) from error
    return pattern


DnsLabel = Annotated[str, Field(pattern=DNS_LABEL, max_length=63)]
DnsName = Annotated[str, Field(pattern=DNS_NAME, max_length=253)]
HostName = Annotated[str, Field(pattern=DNS_NAME, max_length=63)]
HostPattern = Annotated[str, Field(pattern=HOST_PATTERN, max_length=100), AfterValidator(_range)]
Address = Annotated[str, Field(pattern=ADDRESS, max_length=253)]
Cidr = Annotated[str, Field(pattern=CIDR)]
User = Annotated[str, Field(pattern=USER)]
FilePath = Annotated[str, Field(pattern=FILE_PATH, max_length=1024), AfterValidator(os.path.expanduser)]
AbsolutePath = Annotated[str, Field(pattern=ABSOLUTE_PATH, max_length=1024)]
HostKey = Annotated[str, Field(pattern=HOST_KEY, max_length=4096)]
QualifiedName = Annotated[str, Field(pattern=QUALIFIED_NAME, max_length=317)]
LabelValue = Annotated[str, Field(pattern=LABEL_VALUE)]
SysctlKey = Annotated[str, Field(pattern=SYSCTL, max_length=255)]
SysctlValue = Annotated[str, Field(pattern=SYSCTL_VALUE, max_length=1024)]
ModuleName = Annotated[str, Field(pattern=MODULE)]
PackageName = Annotated[str, Field(pattern=PACKAGE, max_length=128)]
Version = Annotated[str, Field(pattern=VERSION), AfterValidator(normalise_version)]
CamelName = Annotated[str, Field(pattern=CAMEL)]
FeatureGate = Annotated[str, Field(pattern=FEATURE_GATE)]
FlagName = Annotated[str, Field(pattern=FLAG)]
FlagValue = Annotated[str, Field(pattern=FLAG_VALUE, max_length=4096)]
Line = Annotated[str, Field(pattern=LINE, max_length=4096)]
VariableName = Annotated[str, Field(pattern=VARIABLE, max_length=128)]
Url = Annotated[str, Field(pattern=URL, max_length=2048)]
RegistryHost = Annotated[str, Field(pattern=REGISTRY, max_length=253)]
Quantity = Annotated[str, Field(pattern=QUANTITY, max_length=32)]
Duration = Annotated[str, Field(pattern=DURATION, max_length=32)]
PreflightCheck = Annotated[str, Field(pattern=PREFLIGHT)]
ResourceName = Annotated[str, Field(pattern=RESOURCE)]
CheckName = Annotated[str, Field(pattern=CHECK, max_length=64)]
VaultPath = Annotated[str, Field(pattern=VAULT, max_length=1024)]
EtcdEndpoint = Annotated[str, Field(pattern=ETCD_ENDPOINT, max_length=300)]
Timezone = Annotated[str, Field(pattern=TIMEZONE, max_length=64)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=1, le=86400)]

Architecture = Literal["amd64", "arm64"]
Labels = dict[QualifiedName, LabelValue]
Annotations = dict[QualifiedName, Annotated[str, Field(max_length=65536)]]
FeatureGates = dict[FeatureGate, bool]
ExtraArgs = dict[FlagName, FlagValue]
