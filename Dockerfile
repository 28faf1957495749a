# One image for both processes. Node.js runs the TypeScript sources as they are, so nothing is built: the first stage
# fetches the run-time packages, the second puts the sources beside them.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
RUN install --directory --owner=node --group=node data
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY packages packages
COPY apps apps
USER node
EXPOSE 8000
CMD ["node", "apps/ingest/main.ts"]
