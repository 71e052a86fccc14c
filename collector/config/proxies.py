"""Settings of the HTTP proxy that an input or output goes through."""

from typing import Annotated, Any, Self, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from collector.config.fields import HeaderSecret, Text, conceal, refuse
from collector.config.secured import Secured
from collector.config.urls import split

NONE = "none"
ENVIRONMENT = "environment"
_WORDS = (NONE, ENVIRONMENT)

_MEANING = (
    "`http://host:port` of the proxy; `environment`: what `HTTPS_PROXY`, `HTTP_PROXY` and "
    "`NO_PROXY` say; `none`: go direct. Without user and password, `proxy: none` and "
    "`proxy: environment` are short for it."
)


def _proxy_url(text: str) -> str:
    if text in _WORDS:
        return text
    url = split(text)
    if url is None or url.scheme != "http" or not text.isascii():
        raise conceal("is no http:// URL of a proxy", "write http://host:port, or none")
    if "@" in url.netloc:
        fix = "use proxy.username and proxy.password"
        raise conceal("holds a user or a password", fix)
    if url.path.strip("/") or url.query or url.fragment:
        raise conceal("has more than host and port", "write http://host:port")
    return text.rstrip("/")


def _user(text: str) -> str:
    if ":" in text or not text.isascii():
        fix = "write the user alone; the password has its own setting"
        raise conceal("has a colon, or is not ASCII", fix)
    return text


ProxyUrl: TypeAlias = Annotated[str, AfterValidator(_proxy_url)]
User: TypeAlias = Annotated[Text, AfterValidator(_user)]


class Proxy(Secured):
    """The HTTP proxy on the way; for TLS and WebSockets it is asked for a tunnel (CONNECT)."""

    model_config = ConfigDict(
        json_schema_extra={"type": ["object", "string"], "pattern": f"^({'|'.join(_WORDS)})$"}
    )

    url: ProxyUrl = Field(default=ENVIRONMENT, description=_MEANING)
    username: User | None = Field(default=None, description="User that the proxy asks for.")
    password: HeaderSecret | None = Field(default=None, description="Password of that user.")

    @model_validator(mode="before")
    @classmethod
    def _word(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise refuse("has one of username and password", "give both, or neither")
        return self

    @model_validator(mode="after")
    def _user_of_a_url(self) -> Self:
        if self.username is not None and self.url in _WORDS:
            fix = "set url to http://host:port, or remove username and password"
            raise refuse("has a user, and no url for it", fix)
        return self


class OutputProxy(Proxy):
    """The HTTP proxy on the way to a destination."""

    url: ProxyUrl = Field(default=NONE, description=_MEANING)
