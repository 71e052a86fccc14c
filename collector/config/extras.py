"""Libraries that come with an extra: whether they are here, without importing them."""

from importlib.util import find_spec

from collector.config.fields import refuse


def needs(library: str, extra: str) -> None:
    """Refuse a setting whose library is not installed; ``extra`` is what brings it."""
    if find_spec(library) is None:
        reason = f"needs the library {library}, which is not installed"
        raise refuse(
            reason,
            f"run: pip install 'proofpoint-collector[{extra}]'; for a container, build the image "
            "with --build-arg REQUIREMENTS=requirements-extras.lock",
        )
