# Two stages: one that builds (console, wheels, environment) and one that only runs. Any glibc base with Python 3.11 or
# 3.12 and its venv module will do, and the same base serves both stages: an environment names its interpreter.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
# Node trusts what the base trusts, as pip does.
ENV NODE_USE_SYSTEM_CA=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python3 -m venv /opt/build && python3 -m venv --without-pip /opt/outbound
COPY constraints-build.txt constraints.txt ./
RUN /opt/build/bin/python -m pip install --quiet --no-deps --require-hashes --only-binary :all: -r constraints-build.txt \
 && /opt/build/bin/python -m pip wheel --quiet --no-deps --require-hashes --only-binary :all: --no-binary srt \
      --no-build-isolation --wheel-dir /wheels -r constraints.txt
COPY . .
RUN PATH="/opt/build/bin:$PATH" /opt/build/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/build/bin/python -m pip --python /opt/outbound/bin/python install --quiet --no-deps --no-index /wheels/*.whl

FROM ${BASE}
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin outbound \
 && install -d -o outbound -g outbound /data
COPY --from=build /opt/outbound /opt/outbound
ENV PATH="/opt/outbound/bin:$PATH" PYTHONUNBUFFERED=1 OUTBOUND_DATA_DIR=/data OUTBOUND_HOST=0.0.0.0
USER outbound
WORKDIR /data
VOLUME /data
EXPOSE 8077
# Hosts without REST say how they are on a port of their own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import os, urllib.request as web; e = os.environ; port = e.get('OUTBOUND_METRICS_PORT') or e.get('OUTBOUND_PORT', '8077'); web.urlopen(f'http://127.0.0.1:{port}/readyz', timeout=4)"]
CMD ["outbound", "up"]
