# The program in an image, which runs as a user of its own and holds no setting and no secret.
#
#   docker build --tag newsletter .
#
# Its working folder is /papers: settings, list files, templates and the ledger are there, so mount yours. How to begin, and how
# to run it beside PostgreSQL, is told in docs/deployment.md.

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/newsletter
WORKDIR /source
# First what rarely changes: the libraries, of which each is checked by its hash. pip resolves nothing.
COPY requirements.lock ./
RUN /opt/newsletter/bin/pip install --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE .env.example ./
COPY newsletter/ newsletter/
COPY templates/ templates/
COPY subscribers/daily.toml subscribers/
RUN /opt/newsletter/bin/pip install --no-deps --no-build-isolation . \
  && /opt/newsletter/bin/pip check \
  && /opt/newsletter/bin/python -m compileall -q /opt/newsletter/lib

FROM python:3.13-slim-bookworm
COPY --from=build /opt/newsletter /opt/newsletter
RUN groupadd --gid 10001 newsletter \
  && useradd --uid 10001 --gid newsletter --home-dir /papers --no-create-home --shell /usr/sbin/nologin newsletter \
  && install --directory --owner newsletter --group newsletter /papers
# The address of the pages inside of the container; which of the machine's addresses leads there is said when it is started.
ENV PATH=/opt/newsletter/bin:$PATH \
  PYTHONDONTWRITEBYTECODE=1 \
  PYTHONUNBUFFERED=1 \
  NEWSLETTER_WEB__HOST=0.0.0.0
USER 10001:10001
WORKDIR /papers
# One volume for the whole folder: with more below it, a folder of yours that is mounted here would be hidden in part.
VOLUME ["/papers"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["python", "-c", "import http.client, os; pages = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('NEWSLETTER_WEB__PORT') or 8000), timeout=9); pages.request('GET', '/-/healthz'); raise SystemExit(pages.getresponse().status != 200)"]
ENTRYPOINT ["newsletter"]
CMD ["serve"]
