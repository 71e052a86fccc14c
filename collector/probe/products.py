"""What a failure means at each kind of output, where that says more than the general table.

Pure.  The facts are those of Apache Kafka's page "Broker configs" and Amazon S3's "Error
responses".  ``docs/testing-connections.md`` shows every row.
"""

from __future__ import annotations

from collections.abc import Mapping

from collector.probe.products_http import ELASTICSEARCH, SENTINEL, SPLUNK, SUMO
from collector.probe.verdicts import TABLE, Side, Trouble, Verdict

_NO_PROXY = Verdict(
    "There is no way to that address.",
    "Check this machine's network and routes; this output goes through no proxy, so the firewall "
    "must let it out to that host and port.",
)

_FILE: dict[Trouble, Verdict] = {
    Trouble.FOLDER: Verdict(
        "The collector's user may not make files there, or it is no folder.",
        "Check path; give the folder to the user that runs the collector (in our image: chown "
        "10001:10001).",
    ),
    Trouble.READ_ONLY: Verdict(
        "The folder lies on a file system that is mounted read-only.",
        "Let path lead to a volume that is mounted for writing; in a container, mount one there.",
    ),
    Trouble.DISK_FULL: Verdict(
        "The disk of the folder is full.",
        "Free space, or let path lead to a larger disk; the records wait in the state meanwhile.",
    ),
}

_DEVO: dict[Trouble, Verdict] = {
    Trouble.UNREACHABLE: _NO_PROXY,
    Trouble.CUT: Verdict(
        "Devo, or something on the way, ended the connection; with TLS 1.3 a client certificate "
        "that is refused looks so, too.",
        "Check that cert and key are of your domain and region and have not expired; for a relay "
        "inside your network set type: TCP.",
    ),
    Trouble.TIMED_OUT: Verdict(
        "No answer within the time limit: a firewall drops packets; or, at the TLS step, a relay "
        "that speaks plain TCP.",
        "Have the firewall let port 443 out to Devo; for a relay inside your network set type: "
        "TCP.",
    ),
    Trouble.TLS_AUTHORITY: Verdict(
        "The certificate was not signed by the authority in chain.",
        "Set chain to the chain.crt that Devo issued with your certificate, for this region; where "
        "a firewall opens TLS, have it let Devo pass.",
    ),
    Trouble.TLS_CLIENT: Verdict(
        "Devo does not take our client certificate, or wants one.",
        "Set cert and key to a pair that Devo issued for your domain and that has not expired or "
        "been revoked.",
    ),
    Trouble.TLS: Verdict(
        "The two sides found no common TLS, or the port does not speak it.",
        "Devo itself is type: SSL on port 443; a relay inside your network takes type: TCP.",
    ),
}

_SYSLOG: dict[Trouble, Verdict] = {
    Trouble.UNREACHABLE: _NO_PROXY,
    Trouble.CUT: Verdict(
        "The receiver, or something on the way, ended the connection; with TLS 1.3 a client "
        "certificate that is refused looks so, too.",
        "Look at the receiver's log; check that protocol, port and framing are the receiver's, and "
        "cert and key where it wants them.",
    ),
    Trouble.TIMED_OUT: Verdict(
        "No answer within the time limit: a firewall drops packets; or, at the TLS step, a "
        "receiver that speaks plain TCP.",
        "Check the firewalls; where the receiver does not speak TLS (often port 514 or 601), set "
        "protocol: tcp.",
    ),
    Trouble.TLS: Verdict(
        "The two sides found no common TLS, or the port does not speak it.",
        "Check the port: TLS is 6514 as a rule; where the receiver does not speak TLS, set "
        "protocol: tcp.",
    ),
}

_ADVERTISED = "when it is the probe that fails, check advertised.listeners of the brokers"
_KAFKA: dict[Trouble, Verdict] = {
    Trouble.NO_NAME: Verdict(
        "This machine's name service does not know the broker.",
        "Check bootstrap_servers, and the name service (DNS) of this machine or container; "
        f"{_ADVERTISED}.",
    ),
    Trouble.UNREACHABLE: _NO_PROXY,
    Trouble.CUT: Verdict(
        "A broker ended the connection, or is not to be reached under the address that it gives "
        "out.",
        "Check that protocol and port belong together (a TLS listener and protocol: tls), and "
        f"whether sasl is wanted; {_ADVERTISED}.",
    ),
    Trouble.TIMED_OUT: Verdict(
        "No answer within the time limit: a firewall drops packets, or the listener has another "
        "protocol; or, at the probe, the topic is missing or has too few replicas in sync.",
        "Check the firewalls, the port, and protocol: tls or tcp as the listener has it. At the "
        "probe: look whether the topic exists and its replicas are in sync; check "
        "advertised.listeners of the brokers: this machine must reach those names and ports.",
    ),
    Trouble.TLS_AUTHORITY: Verdict(
        "The certificate was not signed by an authority that is trusted here.",
        "Set ca to the authority that signed the brokers' certificates.",
    ),
    Trouble.TLS_NAME: Verdict(
        "The broker's certificate is for another name than the one that was asked for.",
        "Write the broker into bootstrap_servers by a name that stands in its certificate, or set "
        "tls.server_name to a name that all brokers' certificates have.",
    ),
    Trouble.TLS: Verdict(
        "The two sides found no common TLS, or the port does not speak it.",
        "Check that the port is a TLS listener of the broker; for a plain one set protocol: tcp.",
    ),
    Trouble.DENIED: Verdict(
        "The brokers do not take the user and password, or do not let the user write.",
        "Check sasl, then the rights (ACL) of the user: WRITE and DESCRIBE on the topic.",
    ),
    Trouble.TOPIC: Verdict(
        "The topic does not exist, and the brokers make none, or take no such name.",
        "Create the topic, or correct topic.",
    ),
    Trouble.SERVER: Verdict(
        "The brokers cannot confirm a record now: too few replicas are in sync.",
        "Bring the missing brokers back.",
    ),
}

_S3: dict[Trouble, Verdict] = {
    Trouble.TLS_AUTHORITY: Verdict(
        "The certificate was not signed by an authority that is trusted here.",
        "Set ca to the authority that signed the endpoint's certificate, or that of the proxy that "
        "opens TLS.",
    ),
    Trouble.TLS_NAME: Verdict(
        "The endpoint's certificate is for another name than that in endpoint_url.",
        "Write endpoint_url with a name that stands in the certificate; path_style: true spares "
        "the bucket's own name in it.",
    ),
    Trouble.DENIED: Verdict(
        "S3 does not take the credentials, or they may not write to this bucket and prefix.",
        "Check credentials or profile, then their rights: s3:PutObject and s3:GetObject.",
    ),
    Trouble.BUCKET: Verdict(
        "There is no such bucket, or not in this region or at this endpoint.",
        "Check bucket, region, endpoint_url and path_style.",
    ),
    Trouble.TOO_MANY: Verdict(
        "The service is busy (429, 503 and the like). The collector writes again by itself.",
        "Wait; if it lasts, look at the service's status.",
    ),
}

OF_TYPE: Mapping[str, Mapping[Trouble, Verdict]] = {
    "file": _FILE,
    "devo": _DEVO,
    "syslog": _SYSLOG,
    "splunk_hec": SPLUNK,
    "elasticsearch": ELASTICSEARCH,
    "sumo_logic": SUMO,
    "sentinel": SENTINEL,
    "kafka": _KAFKA,
    "s3": _S3,
}
"""The rows of each type of output that go before those of the general table."""


def table(side: Side, kind: str) -> Mapping[Trouble, Verdict]:
    """The rows for a subject of this type."""
    own = OF_TYPE.get(kind, {}) if side is Side.DESTINATION else {}
    return {**TABLE[side], **own}
