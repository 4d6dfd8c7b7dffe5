# syntax=docker/dockerfile:1
# One file, one target per service: docker build -f deploy/docker/service.Dockerfile --target recognizer .

FROM python:3.12-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1
RUN useradd --create-home --uid 10001 mien \
    && install -d -o mien -g mien /data \
    && install -d -o mien -g mien -m 0700 /secrets
WORKDIR /app
COPY deploy/docker/check_ready.py deploy/docker/
EXPOSE 9101
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s CMD ["python", "deploy/docker/check_ready.py"]

# Each service installs its own extra only; the lock holds a hash for every file.

FROM base AS ingest
COPY requirements/ingest.lock requirements/
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements/ingest.lock
COPY mien mien
COPY services/__init__.py services/
COPY services/ingest services/ingest
USER mien
ENV MIEN_INGEST_HEALTH_HOST=0.0.0.0 MIEN_INGEST_HEALTH_PORT=9101
CMD ["python", "-m", "services.ingest"]

FROM base AS detector
COPY requirements/detector.lock requirements/
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements/detector.lock
COPY mien mien
COPY services/__init__.py services/
COPY services/detector services/detector
USER mien
ENV MIEN_DETECTOR_HEALTH_HOST=0.0.0.0 MIEN_DETECTOR_HEALTH_PORT=9101
CMD ["python", "-m", "services.detector"]

FROM base AS recognizer
COPY requirements/recognizer.lock requirements/
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements/recognizer.lock
COPY mien mien
COPY services/__init__.py services/
COPY services/recognizer services/recognizer
USER mien
ENV MIEN_RECOGNIZER_HEALTH_HOST=0.0.0.0 MIEN_RECOGNIZER_HEALTH_PORT=9101
CMD ["python", "-m", "services.recognizer"]

FROM base AS emotion
COPY requirements/emotion.lock requirements/
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements/emotion.lock
COPY mien mien
COPY services/__init__.py services/
COPY services/emotion services/emotion
USER mien
ENV MIEN_EMOTION_HEALTH_HOST=0.0.0.0 MIEN_EMOTION_HEALTH_PORT=9101
CMD ["python", "-m", "services.emotion"]

FROM node:22-bookworm-slim AS dashboard
WORKDIR /dashboard
COPY services/dashboard/package.json services/dashboard/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY services/dashboard ./
RUN npm run build

FROM base AS gateway
COPY requirements/gateway.lock requirements/
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements/gateway.lock
COPY mien mien
COPY services/__init__.py services/
COPY services/gateway services/gateway
COPY model_repo/__init__.py model_repo/labels.py model_repo/stamp.py model_repo/
COPY deploy/kafka deploy/kafka
COPY --from=dashboard /dashboard/dist dashboard
USER mien
ENV MIEN_GATEWAY_HEALTH_HOST=0.0.0.0 MIEN_GATEWAY_HEALTH_PORT=9101 \
    MIEN_GATEWAY_HOST=0.0.0.0 MIEN_GATEWAY_PORT=8080 \
    MIEN_GATEWAY_DASHBOARD_DIR=/app/dashboard
VOLUME /data
EXPOSE 8080
CMD ["python", "-m", "services.gateway"]

# TensorFlow is in no other image. It trains with the detector and the models of the repository, so it has those, too.
FROM base AS trainer
COPY requirements/trainer.lock requirements/
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements/trainer.lock
COPY mien mien
COPY services/__init__.py services/
COPY services/detector services/detector
COPY services/trainer services/trainer
COPY model_repo model_repo
USER mien
ENV MIEN_TRAINER_HEALTH_HOST=0.0.0.0 MIEN_TRAINER_HEALTH_PORT=9101
CMD ["python", "-m", "services.trainer"]
