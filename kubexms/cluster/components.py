# SPDX-License-Identifier: GPL-3.0-or-later
"""Data about the components: which configuration fields exist, and which settings are kubexms' own.

Fields: k8s.io/kubelet config/v1beta1 and k8s.io/kube-proxy config/v1alpha1, types.go, v0.36 and v0.35.
Flags: those that kubeadm writes into its static pods and that say where the cluster's parts are
(kubernetes cmd/kubeadm/app/phases/controlplane/manifests.go), and those with a field of their own.
"""

from dataclasses import dataclass


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


KUBELET_FIELDS = _names(
    """
    address allowedUnsafeSysctls authentication authorization cgroupDriver cgroupRoot cgroupsPerQOS
    clusterDNS clusterDomain configMapAndSecretChangeDetectionStrategy containerLogMaxFiles
    containerLogMaxSize containerLogMaxWorkers containerLogMonitorInterval containerRuntimeEndpoint
    contentType cpuCFSQuota cpuCFSQuotaPeriod cpuManagerPolicy cpuManagerPolicyOptions
    cpuManagerReconcilePeriod crashLoopBackOff enableContentionProfiling enableControllerAttachDetach
    enableDebugFlagsHandler enableDebuggingHandlers enableProfilingHandler enableServer
    enableSystemLogHandler enableSystemLogQuery enforceNodeAllocatable eventBurst eventRecordQPS
    evictionHard evictionMaxPodGracePeriod evictionMinimumReclaim evictionPressureTransitionPeriod
    evictionSoft evictionSoftGracePeriod failCgroupV1 failSwapOn featureGates fileCheckFrequency
    hairpinMode healthzBindAddress healthzPort httpCheckFrequency imageGCHighThresholdPercent
    imageGCLowThresholdPercent imageMaximumGCAge imageMinimumGCAge
    imagePullCredentialsVerificationPolicy imageServiceEndpoint iptablesDropBit iptablesMasqueradeBit
    kernelMemcgNotification kubeAPIBurst kubeAPIQPS kubeReserved kubeReservedCgroup kubeletCgroups
    localStorageCapacityIsolation logging makeIPTablesUtilChains maxOpenFiles maxParallelImagePulls
    maxPods memoryManagerPolicy memoryReservationPolicy memorySwap memoryThrottlingFactor
    mergeDefaultEvictionSettings nodeLeaseDurationSeconds nodeStatusMaxImages nodeStatusReportFrequency
    nodeStatusUpdateFrequency oomScoreAdj podCIDR podLogsDir podPidsLimit podsPerCore port
    preloadedImagesVerificationAllowlist protectKernelDefaults providerID qosReserved readOnlyPort
    registerNode registerWithTaints registryBurst registryPullQPS reservedMemory reservedSystemCPUs
    resolvConf rotateCertificates runOnce runtimeRequestTimeout seccompDefault serializeImagePulls
    serverTLSBootstrap showHiddenMetricsForVersion shutdownGracePeriod shutdownGracePeriodByPodPriority
    shutdownGracePeriodCriticalPods singleProcessOOMKill staticPodPath staticPodURL staticPodURLHeader
    streamingConnectionIdleTimeout syncFrequency systemCgroups systemReserved systemReservedCgroup
    tlsCertFile tlsCipherSuites tlsCurvePreferences tlsMinVersion tlsPrivateKeyFile
    topologyManagerPolicy topologyManagerPolicyOptions topologyManagerScope tracing userNamespaces
    volumePluginDir volumeStatsAggPeriod
    """
)

KUBE_PROXY_FIELDS = _names(
    """
    bindAddress bindAddressHardFail clientConnection clusterCIDR configSyncPeriod conntrack detectLocal
    detectLocalMode enableProfiling featureGates healthzBindAddress hostnameOverride iptables ipvs
    logging metricsBindAddress mode nftables nodePortAddresses oomScoreAdj portRange
    showHiddenMetricsForVersion windowsRunAsService winkernel
    """
)


@dataclass(frozen=True)
class Owned:
    """A setting that the user cannot give here, and what to do instead."""

    names: frozenset[str]
    instead: str


def _owned(names: str, instead: str) -> Owned:
    return Owned(_names(names), instead)


_ITS_OWN = "leave it out: kubexms sets it"
_FEATURE_GATES = _owned("feature-gates", "use spec.kubernetes.featureGates")
_KUBECONFIGS = _owned("authentication-kubeconfig authorization-kubeconfig kubeconfig config", _ITS_OWN)
_SERVICE_NETWORK = _owned("service-cluster-ip-range", "use spec.network.serviceCIDR")

OWNED_FLAGS: dict[str, tuple[Owned, ...]] = {
    "apiServer": (
        _FEATURE_GATES,
        _SERVICE_NETWORK,
        _owned("encryption-provider-config", "use spec.kubernetes.encryption"),
        _owned("audit-policy-file audit-log-path", "use spec.kubernetes.audit"),
        _owned("secure-port", "use spec.controlPlaneEndpoint.port"),
        _owned(
            """
            advertise-address client-ca-file enable-bootstrap-token-auth etcd-cafile etcd-certfile
            etcd-keyfile etcd-servers kubelet-client-certificate kubelet-client-key proxy-client-cert-file
            proxy-client-key-file requestheader-client-ca-file service-account-issuer
            service-account-key-file service-account-signing-key-file tls-cert-file tls-private-key-file
            """,
            _ITS_OWN,
        ),
    ),
    "controllerManager": (
        _FEATURE_GATES,
        _KUBECONFIGS,
        _SERVICE_NETWORK,
        _owned("cluster-cidr", "use spec.network.podCIDR"),
        _owned("cluster-name", "use metadata.name"),
        _owned(
            """
            allocate-node-cidrs client-ca-file cluster-signing-cert-file cluster-signing-key-file
            node-cidr-mask-size requestheader-client-ca-file root-ca-file service-account-private-key-file
            use-service-account-credentials
            """,
            _ITS_OWN,
        ),
    ),
    "scheduler": (_FEATURE_GATES, _KUBECONFIGS),
    "kubelet": (
        _FEATURE_GATES,
        _owned("node-labels register-with-taints", "use labels and taints of spec.hosts"),
        _owned(
            """
            bootstrap-kubeconfig config config-dir container-runtime-endpoint hostname-override kubeconfig
            node-ip pod-infra-container-image
            """,
            _ITS_OWN,
        ),
    ),
}
"""Flags that extraArgs of a component must not have."""

OWNED_KUBELET_FIELDS: tuple[Owned, ...] = (
    _owned("featureGates", "use spec.kubernetes.featureGates"),
    _owned("clusterDNS clusterDomain", "use spec.network.serviceCIDR and spec.dns.domain"),
    _owned("registerWithTaints", "use taints of spec.hosts"),
    _owned(
        """
        authentication authorization cgroupDriver containerRuntimeEndpoint healthzBindAddress healthzPort
        imageServiceEndpoint podCIDR registerNode rotateCertificates staticPodPath
        """,
        _ITS_OWN,
    ),
)

OWNED_KUBE_PROXY_FIELDS: tuple[Owned, ...] = (
    _owned("featureGates", "use spec.kubernetes.featureGates"),
    _owned("mode", "use spec.kubernetes.kubeProxy.mode"),
    _owned("clusterCIDR", "use spec.network.podCIDR"),
    _owned("clientConnection hostnameOverride", _ITS_OWN),
)

OWNED_LABELS = _owned(
    "kubernetes.io/arch kubernetes.io/hostname kubernetes.io/os",
    "leave it out: the kubelet sets it",
)

OWNED_ANNOTATIONS = _owned(
    """
    flannel.alpha.coreos.com/backend-data flannel.alpha.coreos.com/backend-type
    flannel.alpha.coreos.com/kube-subnet-manager flannel.alpha.coreos.com/public-ip
    node.alpha.kubernetes.io/ttl volumes.kubernetes.io/controller-managed-attach-detach
    """,
    "leave it out: a component of Kubernetes sets it",
)

NETWORK_SYSCTLS: dict[str, str] = {
    "net.ipv4.ip_forward": "1",
    "net.bridge.bridge-nf-call-iptables": "1",
}
"""Kernel parameters without which pods do not reach each other."""

KUBELET_SYSCTLS: dict[str, str] = {
    "kernel.keys.root_maxbytes": "25000000",
    "kernel.keys.root_maxkeys": "1000000",
    "kernel.panic": "10",
    "kernel.panic_on_oops": "1",
    "vm.overcommit_memory": "1",
    "vm.panic_on_oom": "0",
}
"""Kernel parameters that the kubelet sets when it starts (k8s.io/component-helpers node/util/sysctl)."""

KUBE_PROXY_SYSCTLS = _names(
    """
    net.netfilter.nf_conntrack_max net.netfilter.nf_conntrack_tcp_timeout_close_wait
    net.netfilter.nf_conntrack_tcp_timeout_established
    """
)
"""Kernel parameters that kube-proxy sets unless its conntrack settings are 0."""


def instead_of(name: str, owned: tuple[Owned, ...]) -> str | None:
    """Return what to use instead of a setting that is kubexms' own, or None when the user may set it."""
    return next((entry.instead for entry in owned if name in entry.names), None)
