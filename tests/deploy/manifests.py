"""What a schema cannot say of the rendered manifests: manifests.py RENDERED. Stops at the first fault."""

import pathlib
import re
import sys
import tomllib

import yaml

rendered = [one for one in yaml.safe_load_all(pathlib.Path(sys.argv[1]).read_text()) if one]
told = tomllib.loads(pathlib.Path("deploy/kubernetes/heel-origin.toml").read_text())
version = tomllib.loads(pathlib.Path("Cargo.toml").read_text())["package"]["version"]


def the(kind, name="heel-origin"):
    """The one object of this kind and name."""
    (found,) = [one for one in rendered if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


deployment = the("Deployment")["spec"]
pod = deployment["template"]["spec"]
labels = deployment["template"]["metadata"]["labels"]
(container,) = pod["containers"]
ports = {port["name"]: port["containerPort"] for port in container["ports"]}
mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
volumes = {volume["name"]: volume for volume in pod["volumes"]}
variables = {variable["name"]: variable for variable in container["env"]}


def is_chosen(selector):
    """Whether a selector takes our pods, and says enough to take no others."""
    return len(selector) > 1 and selector.items() <= labels.items()


def rights():
    own, whole = container["securityContext"], pod["securityContext"]
    assert whole["runAsNonRoot"] and whole["runAsUser"] > 0 and whole["runAsGroup"] > 0
    assert whole["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own["readOnlyRootFilesystem"] and own["allowPrivilegeEscalation"] is False
    assert own["capabilities"] == {"drop": ["ALL"]} and "privileged" not in own
    assert the("ServiceAccount")["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == "heel-origin"
    assert the("Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert all(mount.get("readOnly") for name, mount in mounts.items() if name != "audit-log")


def files():
    """Every file that the configuration names lies on a mounted volume; the audit log on one that outlives the pod."""
    named = re.findall(r'"(/[^"]+)"', pathlib.Path("deploy/kubernetes/heel-origin.toml").read_text())
    log = variables["HEELORIGIN__AUDIT__LOG"]["value"]
    for path in [*named, log, container["args"][-1]]:
        assert any(path.startswith(mount["mountPath"] + "/") for mount in mounts.values()), path
    assert set(mounts) == set(volumes) and not any("subPath" in mount for mount in mounts.values())
    assert log.startswith(mounts["audit-log"]["mountPath"]) and "$(POD_NAME)" in log, "one writer for each log"
    assert variables["POD_NAME"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    claim = the("PersistentVolumeClaim", volumes["audit-log"]["persistentVolumeClaim"]["claimName"])
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert volumes["tls"]["secret"]["defaultMode"] == volumes["audit-key"]["secret"]["defaultMode"] == 0o440
    config = the("ConfigMap", volumes["configuration"]["configMap"]["name"])
    assert tomllib.loads(config["data"]["heel-origin.toml"]) == told
    assert container["args"] == ["serve", "--config", "/etc/heel-origin/heel-origin.toml"]


def probes():
    assert ports == {
        "grpc": int(told["server"]["listen"].rsplit(":")[-1]),
        "admin": int(told["admin"]["listen"].rsplit(":")[-1]),
    }
    paths = {"startupProbe": "/readyz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    for probe, path in paths.items():
        assert container[probe]["httpGet"] == {"path": path, "port": "admin"}, probe
    # A replica that ends is seen to do so well within its lame-duck time.
    ready = container["readinessProbe"]
    seen = ready["failureThreshold"] * (ready["periodSeconds"] + ready["timeoutSeconds"])
    assert seen * 1000 < told["server"]["lame_duck_ms"]
    needed = told["server"]["lame_duck_ms"] + told["server"]["shutdown_grace_ms"]
    assert pod["terminationGracePeriodSeconds"] * 1000 > needed


def replicas():
    scaler, budget = the("HorizontalPodAutoscaler")["spec"], the("PodDisruptionBudget")["spec"]
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "heel-origin"}
    assert "replicas" not in deployment, "the autoscaler's number would be overwritten"
    assert scaler["minReplicas"] > budget["maxUnavailable"] >= 1
    assert container["resources"]["requests"]["cpu"], "the autoscaler counts in parts of the request"
    assert container["resources"]["limits"]["memory"]
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert is_chosen(budget["selector"]["matchLabels"]) and is_chosen(deployment["selector"]["matchLabels"])
    spread = {one["topologyKey"]: one for one in pod["topologySpreadConstraints"]}
    assert set(spread) == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    assert all(is_chosen(one["labelSelector"]["matchLabels"]) for one in spread.values())
    assert container["image"] == f"heel-origin:{version}"


def network():
    for name, port in (("heel-origin", "grpc"), ("heel-origin-admin", "admin")):
        service = the("Service", name)["spec"]
        assert service["clusterIP"] == "None" and is_chosen(service["selector"])
        # Without an address of its own nothing translates the port.
        assert [(one["port"], one["targetPort"]) for one in service["ports"]] == [(ports[port], port)]
    assert not the("Service")["spec"].get("publishNotReadyAddresses")
    policy = the("NetworkPolicy")["spec"]
    assert is_chosen(policy["podSelector"]["matchLabels"])
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"} and policy["egress"] == []
    callers, watchers = policy["ingress"]
    assert callers["ports"] == [{"port": "grpc"}] and watchers["ports"] == [{"port": "admin"}]
    # Callers need this label and no other.
    assert callers["from"][0]["podSelector"]["matchLabels"] == {"heel-origin/caller": "true"}
    assert watchers["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]


for part in (rights, files, probes, replicas, network):
    part()
    print(f"ok      manifests: {part.__name__}")
