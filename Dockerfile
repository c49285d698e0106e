# check=skip=InvalidDefaultArgInFrom
# The worker, for a confidential machine (docs/phala.md) or any other. BASE_IMAGE has no default on purpose: it is a Python image named by its
# digest, so that a build says what it stands on. scripts/build-image.sh gives it, with the flags that make the bytes come out the same again.
ARG BASE_IMAGE

FROM ${BASE_IMAGE} AS build
ARG SOURCE_DATE_EPOCH
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1 PIP_ROOT_USER_ACTION=ignore PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
WORKDIR /build
COPY . .
# Wheels only: a source distribution would run its own build, with a compiler and whatever it finds.
RUN python -m venv --without-pip /opt/oracle \
 && python -m pip --python /opt/oracle/bin/python install --no-deps --only-binary :all: --require-hashes --requirement requirements/run.txt
# setuptools builds our wheel and is left behind; its pin is the one of requirements/dev.txt.
RUN sed -n '/^setuptools==/,/^    # via/p' requirements/dev.txt > setuptools.txt \
 && python -m pip install --target tools --no-deps --only-binary :all: --require-hashes --requirement setuptools.txt \
 && PYTHONPATH=tools python -m pip wheel --no-index --no-deps --no-build-isolation --wheel-dir dist . \
 && python -m pip --python /opt/oracle/bin/python install --no-index --no-deps dist/*.whl
# The root is read-only later, so bytecode is made here; its header holds a hash, because a time would differ from build to build.
RUN /opt/oracle/bin/python -m compileall -q -j 1 --invalidation-mode unchecked-hash /opt/oracle/lib \
 && install -d -m 0700 home

FROM ${BASE_IMAGE}
COPY --from=build /opt/oracle /opt/oracle
COPY --from=build --chown=10001:10001 /build/home /var/lib/oracle
# The working directory holds no .env and cannot be written: settings come from the environment alone.
ENV PATH=/opt/oracle/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    HOME=/var/lib/oracle ORACLE_HOME=/var/lib/oracle API_LISTEN=0.0.0.0:8070 LOG_FORMAT=json
WORKDIR /opt/oracle
# Nobody's uid but the worker's. dstack's socket is open to all users of the machine (mode 0777).
USER 10001:10001
VOLUME /var/lib/oracle
EXPOSE 8070
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 \
    CMD ["/opt/oracle/bin/python", "-I", "-c", "import json, urllib.request as u; raise SystemExit(json.load(u.urlopen('http://127.0.0.1:8070/health', timeout=8))['status'] != 'ok')"]
ENTRYPOINT ["/opt/oracle/bin/oracle"]
CMD ["run"]
