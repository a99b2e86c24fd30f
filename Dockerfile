# The desk for production. PostgreSQL and Valkey run beside it: deploy/compose.yaml.

FROM python:3.11-slim-bookworm AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/paydesk
COPY requirements.lock /tmp/requirements.lock
# Wheels only, each checked against its hash: nothing is compiled and no package's script runs.
RUN /opt/paydesk/bin/pip install --require-hashes --only-binary=:all: -r /tmp/requirements.lock

FROM python:3.11-slim-bookworm
# The root file system may be read-only: only /tmp and PAYDESK_HOME are ever written.
# HOST is the container's own network; the admin listener stays on loopback inside it.
ENV PATH=/opt/paydesk/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PAYDESK_HOME=/var/lib/paydesk \
    HOST=0.0.0.0 \
    PORT=8080
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin paydesk \
    && install --directory --owner=paydesk --group=paydesk --mode=0700 /var/lib/paydesk
COPY --from=builder /opt/paydesk /opt/paydesk
WORKDIR /app
# The code belongs to root: the desk cannot change itself.
COPY connectors/ connectors/
COPY locales/ locales/
COPY core/ core/
COPY texts/ texts/
COPY handlers/ handlers/
COPY payapi/ payapi/
COPY scheduler/ scheduler/
COPY past/ past/
COPY bot/ bot/
USER 10001:10001
EXPOSE 8080
# SIGTERM lets work in flight end; nothing that was acknowledged is lost.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=3)"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
