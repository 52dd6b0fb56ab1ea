# One image for every process of a node; which one is the command: `run forum`, `run engine`, `run gateway`, `migrate`, …
#
#   docker build -t jisr .
#   docker build -t jisr --build-arg BASE_IMAGE=jisr-base:trixie .     (deploy/images/make_base.sh makes that one)
#
# The base needs Python 3.11 or later with venv, no more. Packages come from PyPI, hashes checked against requirements.lock,
# or from deploy/images/wheels/ when there are any (see the README there).
ARG BASE_IMAGE=python:3.13-slim-trixie

FROM ${BASE_IMAGE} AS build
RUN python3 -m venv /opt/jisr
WORKDIR /build
COPY requirements-build.lock requirements.lock ./
COPY deploy/images/wheels wheels
RUN set -e; \
    if ls wheels/*.whl >/dev/null 2>&1; then from='--no-index --find-links wheels'; else from='--require-hashes'; fi; \
    /opt/jisr/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir \
        $from -r requirements-build.lock -r requirements.lock
COPY . .
RUN /opt/jisr/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir \
        --no-index --no-build-isolation --no-deps . \
    && /opt/jisr/bin/python -m pip uninstall --quiet --yes setuptools pip

FROM ${BASE_IMAGE}
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/jisr --no-create-home --shell /usr/sbin/nologin jisr \
    && install -d -o jisr -g jisr -m 0750 /var/lib/jisr
COPY --from=build /opt/jisr /opt/jisr
COPY deploy/topology.toml /etc/jisr/topology.toml
ENV PATH=/opt/jisr/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LANG=C.UTF-8 \
    JISR_SETTINGS=/etc/jisr/settings.toml \
    HEALTH_URL=http://127.0.0.1:8080/healthz
USER jisr
WORKDIR /var/lib/jisr
# Alive, not ready: a process that waits for its broker or database must not be restarted for it.
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request; urllib.request.urlopen(os.environ['HEALTH_URL'], timeout=4)"]
ENTRYPOINT ["jisr"]
CMD ["run", "all"]
