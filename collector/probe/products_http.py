"""What a failure means at each service over HTTP, where that says more than the general table.

Pure.  The facts are those of the vendors' pages: Splunk "Troubleshoot HTTP Event
Collector"; Elastic "Security privileges"; Sumo Logic "Troubleshooting HTTP Sources";
Microsoft "Logs Ingestion API in Azure Monitor" and its tutorial (roles).
"""

from __future__ import annotations

from collector.probe.verdicts import Trouble, Verdict

SPLUNK: dict[Trouble, Verdict] = {
    Trouble.REFUSED: Verdict(
        "The host is there, but no HTTP Event Collector listens on that port.",
        "In Splunk: Settings > Data inputs > HTTP Event Collector > Global Settings: enable all "
        "tokens, and read the port there (8088 as a rule; Splunk Cloud: 443).",
    ),
    Trouble.TLS: Verdict(
        "The two sides found no common TLS, or the port does not speak it.",
        "Look whether Enable SSL is on in the collector's Global Settings in Splunk; where it is "
        "off, url begins with http://.",
    ),
    Trouble.UNAUTHORIZED: Verdict(
        "Unauthorized: Splunk sees no token, or not in its form.",
        "Check token, and that no proxy before Splunk removes the header Authorization.",
    ),
    Trouble.FORBIDDEN: Verdict(
        "Forbidden: Splunk does not know the token, or it is disabled.",
        "Copy the token's value from Settings > Data inputs > HTTP Event Collector in Splunk, and "
        "see there that it is enabled, on every indexer behind the address.",
    ),
    Trouble.NOT_FOUND: Verdict(
        "Not found: there is no HTTP Event Collector at this address.",
        "Check url and path: the port is the collector's, not Splunk's web page (8000) or "
        "management port (8089); in Splunk Cloud the host begins with http-inputs.",
    ),
    Trouble.TOO_MANY: Verdict(
        "Splunk takes no more for now. It passes, and the collector sends again by itself.",
        "Wait; if it lasts, look at the indexers' queues, or at the limits of Splunk Cloud.",
    ),
    Trouble.SERVER: Verdict(
        "Splunk is busy or starting (503), or what stands before it has no server to give.",
        "Look at the queues of Splunk's indexers and at the load balancer; test again later.",
    ),
    Trouble.REJECTED: Verdict(
        "Splunk refuses the record (400), or any request of its size (413).",
        "Check endpoint and sourcetype; 413: raise max_content_length in Splunk's limits.conf, or "
        "the limit of the proxy before it.",
    ),
}

ELASTICSEARCH: dict[Trouble, Verdict] = {
    Trouble.CUT: Verdict(
        "The connection was ended from the other side, or by something on the way.",
        "Check that url begins with https:// where the cluster speaks TLS (Elasticsearch does from "
        "version 8 on); look at the cluster's log.",
    ),
    Trouble.TLS_AUTHORITY: Verdict(
        "The certificate was not signed by an authority that is trusted here.",
        "Set ca to the authority of the cluster: http_ca.crt in config/certs of Elasticsearch, or "
        "your own.",
    ),
    Trouble.UNAUTHORIZED: Verdict(
        "Unauthorized: the cluster does not know the user, password or API key, or the key has "
        "expired.",
        "Check username and password, or make a new API key; an API key is id:key, or the encoded "
        "form.",
    ),
    Trouble.FORBIDDEN: Verdict(
        "Forbidden: the role of the user or API key lacks privileges on the index, or the index is "
        "blocked for writing.",
        "Give the role the index privileges create_doc and auto_configure on the index or data "
        "stream; if it has them, look whether a full disk has blocked the index.",
    ),
    Trouble.NOT_FOUND: Verdict(
        "Not found: no bulk interface at this path, or no such index and none may be made.",
        "Check url and path; create the index or data stream, or allow it in "
        "action.auto_create_index.",
    ),
    Trouble.CONFLICT: Verdict(
        "Conflict: something before the cluster answers so; the cluster itself says it of single "
        "documents only.",
        "Check url and path, and what stands before the cluster.",
    ),
    Trouble.TOO_MANY: Verdict(
        "The cluster's write queue is full. It passes, and the collector sends again by itself.",
        "Wait; if it lasts, look at the load of the nodes that hold the index.",
    ),
    Trouble.SERVER: Verdict(
        "The cluster cannot index now: no master, no active shard, or a proxy without a node.",
        "Look at _cluster/health; test again later.",
    ),
    Trouble.REJECTED: Verdict(
        "The cluster refuses the record (400), or any request of its size (413).",
        "Read the reason: as a rule a field does not fit the mapping, the index has a name that is "
        "none, or ingest_pipeline fails; 413: raise http.max_content_length, or the proxy's limit.",
    ),
}

SUMO: dict[Trouble, Verdict] = {
    Trouble.UNAUTHORIZED: Verdict(
        "Unauthorized: the collector URL is wrong, has been regenerated, or its source is gone.",
        "Copy the URL anew in Sumo Logic: Collection, the HTTP source, Show URL; it is one long "
        "line and has a secret at its end.",
    ),
    Trouble.FORBIDDEN: Verdict(
        "Forbidden: something before Sumo Logic does not let the call pass.",
        "Check the proxy and firewall; Sumo Logic itself says 401 of a wrong URL.",
    ),
    Trouble.NOT_FOUND: Verdict(
        "Not found: the host is there, but the path is not that of an HTTP source.",
        "Copy the whole URL anew: Collection, the HTTP source, Show URL; each deployment has its "
        "own host.",
    ),
    Trouble.TOO_MANY: Verdict(
        "The quota of the account, or the limit of its HTTP sources, is reached.",
        "Wait: it passes; if it lasts, look at Account > Data Management in Sumo Logic, or raise "
        "the quota.",
    ),
    Trouble.SERVER: Verdict(
        "Sumo Logic cannot take records now. The collector sends again by itself.",
        "Look at status.sumologic.com, and at Collection > Status; test again later.",
    ),
    Trouble.REJECTED: Verdict(
        "Sumo Logic refuses the record (400), or any request of its size (413).",
        "Check that compression is gzip or none; 413: a proxy before Sumo Logic has a limit that "
        "is too low.",
    ),
}

SENTINEL: dict[Trouble, Verdict] = {
    Trouble.UNAUTHORIZED: Verdict(
        "Unauthorized: Microsoft Entra grants no token, or Azure Monitor does not take it.",
        "Check tenant_id, client_id and client_secret: the secret's value, not its id, and not "
        "expired. In another cloud set authority and scope, too.",
    ),
    Trouble.FORBIDDEN: Verdict(
        "Forbidden: the application may not write through this data collection rule.",
        "Give the application the role Monitoring Metrics Publisher on the data collection rule "
        "itself; it may take 30 minutes until it counts.",
    ),
    Trouble.NOT_FOUND: Verdict(
        "Not found: no such data collection rule at this endpoint, or no such stream in it.",
        "Check rule_id (the immutable id, dcr- and 32 digits), endpoint (the rule's own, or one of "
        "its region) and stream_name (Custom- and the table, as the rule declares it).",
    ),
    Trouble.TOO_MANY: Verdict(
        "The limit of the data collection rule is reached. It passes, and the collector sends "
        "again by itself.",
        "Wait; if it lasts, split the services among several rules.",
    ),
    Trouble.SERVER: Verdict(
        "Azure Monitor or Microsoft Entra cannot answer now.",
        "Look at status.azure.com; test again later.",
    ),
    Trouble.REJECTED: Verdict(
        "Azure refuses the record (400), or any request of its size (413).",
        "Check that the stream's columns have the types of the records; 413: a proxy before Azure "
        "has a limit that is too low.",
    ),
}
