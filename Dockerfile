# One image for both processes and the command line. Node.js runs the TypeScript sources as they are, so nothing is
# built: the first stage fetches the run-time packages, the second puts the sources beside them.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# With --build-arg OMIT=dev the optional packages are in it, too: those that send traces.
ARG OMIT=optional
RUN npm ci --omit=dev --omit=${OMIT} --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production
# Keeps both processes below 256 MiB under full load (bin/bench memory), with a flag in the commands that cannot stand here.
ENV NODE_OPTIONS="--max-semi-space-size=8 --max-old-space-size=256"
WORKDIR /app
RUN install --directory --owner=node --group=node data
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY bin/ops bin/ops
COPY packages packages
COPY apps apps
USER node
EXPOSE 8000
CMD ["node", "--heap-growing-percent=60", "apps/ingest/main.ts"]
