"""What Observo AI's sources have alike: description, TLS, and what is of no use here."""

from __future__ import annotations

from collector.config.problems import Place, spell
from collector.importers.draft import Draft
from collector.importers.rules import rule
from collector.importers.values import toggle

RULES = (
    rule("description", "description"),
    rule("ca certificate file|tls.ca_file", "tls.ca"),
    rule("client certificate file|tls.crt_file", "tls.cert"),
    rule("client private key file|tls.key_file", "tls.key"),
    rule("private key password|tls.key_pass", "tls.key_password"),
    rule("verify server certificate|tls.verify_certificate", "tls.verify_certificate", toggle),
    rule("verify server hostname|tls.verify_hostname", "tls.verify_hostname", toggle),
    rule("server name|sni|tls.server_name", "tls.server_name"),
)
CONNECT = ("connection timeout", "connect_timeout_secs")
PING = ("ping interval", "ping_interval")
STRATEGY = ("authentication strategy", "auth.strategy")
TOKEN = ("bearer token", "auth.token", "token")
SWITCH = ("enable tls", "tls.enabled", "tls")
REASONS = (
    ("type|template name|template id|template version", "how Observo AI runs the source"),
    ("id|site id|status|created|updated|created by|updated by", "Observo AI's own state"),
)
PKCS12 = (".p12", ".pfx")


def tls(draft: Draft, base: Place) -> None:
    """What goes together: an additional authority, and a certificate with its key."""
    found = draft.settings["inputs"][base[-1]].get("tls", {})
    if "ca" in found:
        draft.keep((*base, "tls", "ca_mode"), "add", "an additional authority there")
    whole = str(found.get("cert", "")).lower().endswith(PKCS12)
    if whole and "key" in found:
        draft.take_back(spell((*base, "tls", "key")), "is in the PKCS#12 file already")
    for name, other in () if whole else (("cert", "key"), ("key", "cert")):
        if name in found and other not in found:
            draft.take_back(spell((*base, "tls", name)), f"is of no use without tls.{other}")
