# The image that charts/airis-mon runs: the wheel with the sidecar and the analyzer, nothing else.
#
#   docker build -t airis-mon:0.1.0 .
#
# Documents whose forecasts have `candidates` need `--build-arg EXTRAS=sidecar,postgresql,analyzer,statsmodels`.
#
# It is not built or tested by `make test-all`, which needs no Docker; the wheel inside it is
# (tests/packaging), and so are the chart's flags and probes against the real processes (tests/charts).

FROM python:3.12-slim AS build
ARG EXTRAS=sidecar,postgresql,analyzer
WORKDIR /src
COPY . .
RUN pip install --no-cache-dir -c requirements.lock build \
    && python -m build --wheel --outdir /wheel \
    && python -m venv /opt/airis-mon \
    && /opt/airis-mon/bin/pip install --no-cache-dir -c requirements.lock \
        "airis-mon[$EXTRAS] @ file://$(ls /wheel/*.whl)"

FROM python:3.12-slim
COPY --from=build /opt/airis-mon /opt/airis-mon
ENV PATH=/opt/airis-mon/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 9466 9467
ENTRYPOINT ["airis-mon"]
CMD ["--help"]
