# syntax=docker/dockerfile:1
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN ["python3", "-m", "venv", "/opt/venv"]
COPY requirements.txt requirements-build.txt ./
RUN ["/opt/venv/bin/pip", "install", "--quiet", "--require-hashes", "-r", "requirements.txt"]
# The build backend lives in an environment of its own and never reaches the image that runs.
RUN ["python3", "-m", "venv", "/opt/build"]
RUN ["/opt/build/bin/pip", "install", "--quiet", "--require-hashes", "-r", "requirements-build.txt"]
COPY pyproject.toml README.md LICENSE ./
COPY bridge bridge
COPY connectors connectors
COPY mappings mappings
RUN ["/opt/build/bin/python", "-m", "hatchling", "build", "-t", "wheel"]
RUN ["mkdir", "/src/data"]
RUN ["/opt/venv/bin/pip", "install", "--quiet", "--no-deps", "--no-index", "--find-links", "dist", "mahnbridge"]

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="mahnbridge" \
      org.opencontainers.image.description="Self-hosted dunning bridge between invoicing tools and their debtors" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/venv /opt/venv
COPY --from=build --chown=10001:10001 /src/data /data
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    MAHNBRIDGE_CONFIG=/data/bridge.yaml MAHNBRIDGE__MONITOR__HOST=0.0.0.0 \
    MAHNBRIDGE__DEBTOR_PAGE__HOST=0.0.0.0
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=10s --start-period=30s --retries=3 CMD ["mahnbridge", "health"]
ENTRYPOINT ["mahnbridge"]
CMD ["serve"]
