# Mount, as for Devo's collectors:
#   /app/config       config.yaml (another name: CONFIG_FILE)        read-only
#   /app/certs        certificates and keys of the destinations      read-only
#   /app/credentials  files that `file:` references name             read-only
#   /app/state        checkpoints and records not yet delivered      read-write
#   /app/out          records, if a file output is used              read-write
# The root file system may be read-only; /tmp is then a tmpfs.
# state and out must be writable for user 10001.
#
# The base image is pinned by tag.  For builds that are the same to the byte, pin its digest too:
# `docker buildx imagetools inspect python:3.13-slim-bookworm` prints it, and
# `--build-arg PYTHON_IMAGE=python:3.13-slim-bookworm@sha256:...` uses it.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

# requirements-extras.lock makes a larger image, with kafka, s3, parquet and keyring.
ARG REQUIREMENTS=requirements.lock

FROM ${PYTHON_IMAGE} AS builder
ARG REQUIREMENTS
COPY ${REQUIREMENTS} /tmp/requirements.lock
# Both secrets are optional: pip's settings where a package index of your own is used, and the
# authorities to trust for it (`cert = /run/secrets/ca.crt` in those settings).
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.crt \
    python -m venv /opt/venv \
    && /opt/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --no-deps --only-binary :all: -r /tmp/requirements.lock \
    && /opt/venv/bin/python -m pip uninstall --yes pip setuptools
# Never imported here: tests, headers, zstandard's back end for PyPy, four of CEL's extensions.
RUN find /opt/venv \( -name tests -o -path '*/pyarrow/include' -o -path '*/zstandard/_cffi*.so' \
        -o -path '*/cel_expr_python/ext/ext_[bemp]*.so' \) -prune -exec rm -r {} +
COPY collector /app/collector
# Byte code is made here: at run time the root file system may be read-only.  A checkout may be
# closed to all but its owner; the image's user must be able to read it.
RUN chmod -R a+rX /app \
    && /opt/venv/bin/python -m compileall -q /app/collector \
    && printf '#!/opt/venv/bin/python\nfrom collector.__main__ import main\n\nmain()\n' > /opt/venv/bin/collector \
    && chmod 755 /opt/venv/bin/collector

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="proofpoint-collector" \
      org.opencontainers.image.description="Collects the logs of Proofpoint CASB and Proofpoint on Demand" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CONFIG_FILE=config/config.yaml
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /app /app
COPY LICENSE /app/LICENSE
WORKDIR /app
RUN mkdir config certs credentials state out && chown 10001:10001 state out
USER 10001:10001
VOLUME ["/app/config", "/app/certs", "/app/credentials", "/app/state", "/app/out"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-m", "collector", "health"]
ENTRYPOINT ["python", "-m", "collector"]
CMD ["run"]
